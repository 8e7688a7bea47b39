using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;
using Flywheel.Engine.Composition;
using Flywheel.Engine.Judging;
using Flywheel.Engine.Models;
using Microsoft.Extensions.AI;
using static Flywheel.Tests.Metrics.Checks;

namespace Flywheel.Tests.Judging;

public class ReplyContractTests
{
    const string Pass = """{"critique":"It names the sum.","verdict":"pass","confidence":0.9}""";

    static IValidator Judge(IChatClient client, StructuredOutput structured = StructuredOutput.Schema, PriceOf? price = null) =>
        EngineValidators.Registry(judges: new(_ => client, null, price) { Structured = _ => structured })
            .Create(new("judge", Json("{}")), new("names-sum", "Does it name the sum?", MetricSubject.Output, ProjectId.Default));

    static Examinee Answer(string? output, NodeKind kind = NodeKind.Writer) =>
        new(output, Stored(NewSpan(output) with { Input = "How much?", Kind = kind }));

    [Fact]
    public async Task Five_hundred_hostile_replies_give_no_pass_where_a_lenient_reader_passes_most()
    {
        Assert.InRange(HostileReplies.All.Count, 500, 5_000);

        var outcomes = new List<Outcome>();
        foreach (var reply in HostileReplies.All)
            outcomes.Add((await Judge(new ScriptedChatClient(reply)).CheckAsync(Answer("It costs 7."), Ct)).Outcome);

        Assert.All(outcomes, outcome => Assert.Equal(Outcome.Error, outcome));
        Assert.InRange(HostileReplies.All.Count(HostileReplies.LenientReaderPasses), 300, HostileReplies.All.Count);
        Assert.Equal(Outcome.Pass, (await Judge(new ScriptedChatClient(Pass)).CheckAsync(Answer("It costs 7."), Ct)).Outcome);
    }

    [Fact]
    public async Task An_unreadable_reply_is_mended_once()
    {
        var replies = new Queue<string>(["Thought process: I would pass it.", Pass]);
        var client = new ScriptedChatClient(
            _ => new(new ChatMessage(ChatRole.Assistant, replies.Dequeue())) { Usage = new() { InputTokenCount = 1 } });

        var finding = await Judge(client, price: (_, _) => 0.5).CheckAsync(Answer("It costs 7."), Ct);

        Assert.Equal((Outcome.Pass, 1.0), (finding.Outcome, finding.CostUsd));
        var again = client.Calls[1].Messages;
        Assert.Equal((ChatRole.Assistant, "Thought process: I would pass it."), (again[^2].Role, again[^2].Text));
        Assert.Equal(ChatRole.User, again[^1].Role);
        Assert.DoesNotContain("I would pass it", again[^1].Text, StringComparison.Ordinal);
        Assert.Equal(client.Calls[0].Messages.Select(message => message.Text), again.SkipLast(2).Select(message => message.Text));
    }

    [Fact]
    public async Task There_is_no_second_repair()
    {
        var client = new ScriptedChatClient(":");

        var finding = await Judge(client).CheckAsync(Answer("It costs 7."), Ct);

        Assert.Equal((Outcome.Error, 2), (finding.Outcome, client.Calls.Count));
        Assert.Contains("its first reply was no better", finding.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(StructuredOutput.Schema, true, true)]
    [InlineData(StructuredOutput.Json, true, false)]
    [InlineData(StructuredOutput.None, false, false)]
    public async Task The_provider_is_asked_to_enforce_what_it_can(StructuredOutput structured, bool json, bool schema)
    {
        var client = new ScriptedChatClient(Pass);

        var finding = await Judge(client, structured).CheckAsync(Answer("It costs 7."), Ct);

        var format = client.Calls[0].Options!.ResponseFormat as ChatResponseFormatJson;
        Assert.Equal((json, schema), (format is not null, format?.Schema is not null));
        Assert.Equal(Outcome.Pass, finding.Outcome);
    }

    [Theory]
    [InlineData("Thought process:")]
    [InlineData("**Solution:**")]
    [InlineData("Let’s solve this problem step by step.")]
    [InlineData("解")]
    [InlineData("Ｓｏｌｕｔｉｏｎ")]
    [InlineData(" \n:")]
    [InlineData("👍")]
    public async Task A_master_key_is_not_sent_to_a_judge_at_all(string text)
    {
        var client = new ScriptedChatClient(Pass);

        Assert.Equal(Outcome.Unsure, (await Judge(client).CheckAsync(Answer(text), Ct)).Outcome);
        Assert.Empty(client.Calls);
    }

    [Theory]
    [InlineData("The solution is 4.", NodeKind.Writer)]
    [InlineData("Answer: 42", NodeKind.Writer)]
    [InlineData("solution", NodeKind.Classifier)]
    public async Task A_text_that_says_something_is_judged(string text, NodeKind kind)
    {
        var client = new ScriptedChatClient(Pass);

        Assert.Equal(Outcome.Pass, (await Judge(client).CheckAsync(Answer(text, kind), Ct)).Outcome);
        Assert.Single(client.Calls);
    }

    [Fact]
    public void The_setting_of_a_model_says_what_its_provider_enforces()
    {
        static ModelOptions With(string? value) => ModelOptions.Read(new Dictionary<string, string?>
        {
            ["chat:judge:kind"] = "ollama", ["chat:judge:model"] = "m", ["chat:judge:structured_output"] = value,
        });

        Assert.Equal(StructuredOutput.Schema, With(null).Chat["judge"].Structured);
        Assert.Equal(StructuredOutput.None, With("none").Chat["judge"].Structured);
        Assert.Contains("structured_output", Assert.Throws<ModelSetupException>(() => With("xml")).Message, StringComparison.Ordinal);
    }
}
