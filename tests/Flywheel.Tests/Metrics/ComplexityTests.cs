using Flywheel.Core.Metrics;
using static Flywheel.Tests.Metrics.Checks;

namespace Flywheel.Tests.Metrics;

public sealed class ComplexityTests
{
    const string Kind = "input.complexity";

    [Theory]
    [InlineData("{}", "Where is my order? I have waited for two weeks.", null)]
    [InlineData("""{"max_tokens":5}""", "abc def", "6 tokens, more than 5")]
    [InlineData("""{"min_tokens":5}""", "abc", "3 tokens, fewer than 5")]
    [InlineData("""{"max_sentences":2}""", "One. Two! Three?", "3 sentences, more than 2")]
    [InlineData("""{"max_sentences":2}""", "It costs 3.50 at example.com. Yes.", null)]
    [InlineData("""{"max_words_per_sentence":3}""", "One two three. One two three four.", "4 words in a sentence, more than 3")]
    [InlineData("""{"max_lines":1}""", "a\n\nb\r\nc", "3 lines, more than 1")]
    [InlineData("""{"max_links":1}""", "see http://a.b and https://c.d", "2 links, more than 1")]
    [InlineData("""{"max_unbroken":5}""", "abcdef https://a.very.long.example", "6 characters without a space, more than 5")]
    [InlineData("""{"max_nesting":2}""", "f(g(h(x)))", "3 levels of brackets, more than 2")]
    [InlineData("""{"max_nesting":2}""", "(a) (b) (c) ))) (d)", null)]
    [InlineData("{}", "", null)]
    public void A_text_is_measured_against_the_ranges(string settings, string text, string? reason)
    {
        var finding = Check(Kind, settings, text);

        Assert.Equal((reason is null ? Outcome.Pass : Outcome.Fail, reason), (finding.Outcome, finding.Reason));
    }

    [Fact]
    public void A_range_that_nothing_fits_is_refused() =>
        Assert.Equal("min_tokens", Refused(Kind, """{"min_tokens":10,"max_tokens":5}""").Setting);

    [Fact]
    public void Limits_that_are_not_set_are_learned_from_ordinary_texts()
    {
        var words = string.Join(
            ',', Enumerable.Range(0, 400).Select(i => $"\"{string.Join(' ', Enumerable.Repeat("word", 5 + i % 20))}.\""));
        var settings = $$"""{"reference":[{{words}}],"max_links":0}""";

        var usual = Check(Kind, settings, "one two three four five six seven eight nine.");
        var tooLong = Check(Kind, settings, string.Join(' ', Enumerable.Repeat("word", 40)) + ".");
        var tooShort = Check(Kind, settings, "hi");
        var linked = Check(Kind, settings, "word word word word word word http://a.b.");

        Assert.Equal(Outcome.Pass, usual.Outcome);
        Assert.Equal("160 tokens, more than 96 (learned from 400 ordinary texts); 40 words in a sentence, more than 24 (learned from 400 "
            + "ordinary texts)", tooLong.Reason);
        Assert.Equal("2 tokens, fewer than 20 (learned from 400 ordinary texts)", tooShort.Reason);
        Assert.Equal("1 links, more than 0", linked.Reason);
    }

    [Fact]
    public void Learned_limits_fail_ordinary_texts_no_more_often_than_said()
    {
        var random = new Random(5);
        string Text() => string.Join(
            ' ', Enumerable.Range(0, 3 + random.Next(40))
                .Select(_ => new string('a', 1 + random.Next(12)) + (random.Next(9) == 0 ? "." : "")));
        var reference = System.Text.Json.JsonSerializer.Serialize(Enumerable.Range(0, 1000).Select(_ => Text()));
        var validator = Make(Kind, $$"""{"reference":{{reference}},"false_alarms":0.1}""");

        var failed = Enumerable.Range(0, 2000)
            .Count(_ => validator.CheckAsync(new(Text(), null), Ct).AsTask().GetAwaiter().GetResult().Outcome == Outcome.Fail);

        Assert.InRange(failed, 20, 240);
    }

    [Theory]
    [InlineData("""{"reference":["a","b"]}""", "reference")]
    [InlineData("""{"learn":true}""", "learn")]
    public void What_cannot_be_learned_from_is_refused(string settings, string setting) =>
        Assert.Equal(setting, Refused(Kind, settings).Setting);
}
