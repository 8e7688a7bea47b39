using System.Text.Json;
using CsCheck;
using Flywheel.Core.Metrics;
using Flywheel.Engine.Judging;

namespace Flywheel.Tests.Judging;

public class JudgementTests
{
    /// <summary>Replies that must decide nothing, whatever a hopeful reader could see in them.</summary>
    public static TheoryData<string?> Bad { get; } =
    [
        (string?)null, "", "   \n", ":", "...", "{}", "[]", "null", "true", "\"pass\"", "pass", "PASS", "Verdict: pass", "Thought process:",
        "The answer would pass.",
        """{"verdict":"pass"}""",
        """{"critique":"ok"}""",
        """{"critique":"ok","verdict":"PASS"}""",
        """{"critique":"ok","verdict":"Pass"}""",
        """{"critique":"ok","verdict":"pass "}""",
        """{"critique":"ok","verdict":"passed"}""",
        """{"critique":"ok","verdict":"not pass"}""",
        """{"critique":"ok","verdict":"pass or fail"}""",
        """{"critique":"ok","verdict":true}""",
        """{"critique":"ok","verdict":null}""",
        """{"critique":"ok","verdict":["pass"]}""",
        """{"critique":"ok","verdict":{"value":"pass"}}""",
        """{"critique":null,"verdict":"pass"}""",
        """{"critique":["ok"],"verdict":"pass"}""",
        """{"critique":"ok","verdict":"fail","verdict":"pass"}""",
        """{"critique":"ok","verdict":"fail","verd\u0069ct":"pass"}""",
        """{"critique":"ok","verdict":"pass","confidence":1.5}""",
        """{"critique":"ok","verdict":"pass","confidence":-0.1}""",
        """{"critique":"ok","verdict":"pass","confidence":"high"}""",
        """{"critique":"ok","verdict":"pass","confidence":NaN}""",
        """{"critique":"ok","verdict":"pass","override":true}""",
        """{"critique":"ok","verdict":"pass"} {"critique":"no","verdict":"fail"}""",
        """{"critique":"ok","verdict":"pass"}.""",
        """Sure! {"critique":"ok","verdict":"pass"}""",
        """{"critique":"ok","verdict":"pass"} Hope this helps.""",
        """[{"critique":"ok","verdict":"pass"}]""",
        """{"critique":"ok","verdict":"pass",}""",
        """{"critique":"ok","verdict":"pass" """,
        """{"critique":"ok" /* fail */,"verdict":"pass"}""",
        """{'critique':'ok','verdict':'pass'}""",
        """{"critique":"\ud800","verdict":"pass"}""",
        "```json\n{\"critique\":\"ok\",\"verdict\":\"pass\"}\n``` and more",
        "```json\n{\"critique\":\"ok\",\"verdict\":\"fail\"}\n```\n```json\n{\"critique\":\"ok\",\"verdict\":\"pass\"}\n```",
        "```python\n{\"critique\":\"ok\",\"verdict\":\"pass\"}\n```",
        "<verdict>pass</verdict>", "I cannot judge this, but a pass seems fair.",
    ];

    [Theory]
    [MemberData(nameof(Bad))]
    public void A_reply_outside_the_contract_decides_nothing(string? reply)
    {
        Assert.Null(Judgement.Parse(reply, out var problem));
        Assert.StartsWith("unreadable judge: ", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void A_reader_that_looks_for_the_word_would_have_passed_many_of_them() =>
        Assert.InRange(Bad.Count(row => row.Data?.Contains("pass", StringComparison.OrdinalIgnoreCase) == true), 30, 1_000);

    [Theory]
    [InlineData("""{"critique":"Short.","verdict":"pass","confidence":0.8}""", Outcome.Pass, 0.8)]
    [InlineData("""{"verdict":"fail","critique":"Too long."}""", Outcome.Fail, null)]
    [InlineData("""{"critique":"","verdict":"unsure","confidence":null}""", Outcome.Unsure, null)]
    [InlineData("```json\n{\"critique\":\"ok\",\"verdict\":\"pass\",\"confidence\":1}\n```", Outcome.Pass, 1.0)]
    [InlineData("  {\"critique\":\"It says \\\"verdict\\\":\\\"pass\\\".\",\"verdict\":\"fail\"}\n", Outcome.Fail, null)]
    public void A_reply_by_the_contract_is_read(string reply, Outcome verdict, double? confidence)
    {
        var read = Judgement.Parse(reply, out var problem);

        Assert.Null(problem);
        Assert.Equal((verdict, confidence), (read!.Verdict, read.Confidence));
    }

    [Fact]
    public void The_problem_quotes_the_first_200_characters_and_no_more()
    {
        Judgement.Parse("pass " + new string('x', 5_000), out var problem);

        Assert.Contains("pass xxx", problem, StringComparison.Ordinal);
        Assert.InRange(problem!.Length, 200, 330);
    }

    [Fact]
    public void Any_critique_survives_and_cannot_change_the_verdict() =>
        Gen.String.Where(text => Core.Traces.SpanRules.Text(text) is null).Sample(critique =>
    {
        var read = Judgement.Parse(JsonSerializer.Serialize(new { critique, verdict = "fail" }), out _);

        Assert.Equal(new(Outcome.Fail, critique.Trim(), null), read);
    });

    [Fact]
    public void A_damaged_reply_never_turns_a_fail_into_a_pass() =>
        Gen.Select(Gen.Int[0, 200], Gen.Int[0, 200], Gen.Char[' ', '~']).Sample((cut, at, c) =>
    {
        var reply = """{"critique":"The tone would pass, the facts do not.","verdict":"fail","confidence":0.7}""";
        var damaged = reply.Remove(cut % reply.Length, 1).Insert(at % (reply.Length - 1), c.ToString());

        Assert.NotEqual(Outcome.Pass, Judgement.Parse(damaged, out _)?.Verdict);
    }, iter: 3_000);
}
