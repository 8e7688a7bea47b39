using Flywheel.Client;
using Flywheel.Core.Guarding;
using Flywheel.Core.Metrics;
using Flywheel.Core.Traces;
using Microsoft.Extensions.AI;

namespace Flywheel.Tests.Client;

public sealed class GuardTests
{
    static CancellationToken Ct => TestContext.Current.CancellationToken;

    static ScriptedLoop Blocking() => Answering(input => new(
        GuardDecision.Block, input, [new("m", "v1", GuardAction.Block, Finding.Fail("too rude"))], 1));

    static ScriptedLoop Redacting(string word) => Answering(input =>
    {
        var at = input.IndexOf(word, StringComparison.Ordinal);
        if (at < 0)
            return GuardAnswer.Unguarded(input);
        var finding = new GuardFinding(
            "m", "v1", GuardAction.Redact, Finding.Fail("a secret") with { Spans = [new(at, word.Length, "secret")] });
        return new(GuardDecision.Redact, new Redaction(input, finding.Redacts).Text, [finding], 1);
    });

    static ScriptedLoop Answering(Func<string, GuardAnswer> answer) =>
        new() { OnGuard = (query, _) => Task.FromResult(answer(query.Input)) };

    [Fact]
    public async Task A_blocked_input_never_reaches_the_model()
    {
        var model = new ScriptedChatClient("hello");
        await using var connection = new FlywheelConnection(Blocking());
        var chat = model.UseFlywheel(connection, "n", NodeKind.Writer);

        var blocked = await Assert.ThrowsAsync<InputBlockedException>(() => chat.GetResponseAsync("you fool", cancellationToken: Ct));

        Assert.Contains("too rude", blocked.Message);
        Assert.Equal(GuardDecision.Block, blocked.Answer!.Decision);
        Assert.Empty(model.Prompts);
        var span = await connection.OnlyAsync(Ct);
        Assert.Equal(("you fool", null), (span.Input, span.Output));
        Assert.Contains("blocked before the model: m: too rude", span.Error);
        Assert.Equal(Outcome.Fail, GuardRecord.Find(span.Attributes, "m")!.Finding.Outcome);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_refusal_stands_for_the_answer_when_the_node_has_one(bool streamed)
    {
        var model = new ScriptedChatClient("hello");
        await using var connection = new FlywheelConnection(Blocking());
        var chat = model.UseFlywheel(connection, "n", NodeKind.Writer, node => node.Refusal = "I cannot help with that.");

        var response = streamed
            ? await chat.GetStreamingResponseAsync("you fool", cancellationToken: Ct).ToChatResponseAsync(Ct)
            : await chat.GetResponseAsync("you fool", cancellationToken: Ct);

        Assert.Equal("I cannot help with that.", response.Text);
        Assert.Equal(ChatFinishReason.ContentFilter, response.FinishReason);
        Assert.NotNull(response.SpanKey());
        Assert.Empty(model.Prompts);
        Assert.NotNull((await connection.OnlyAsync(Ct)).Error);
    }

    [Fact]
    public async Task The_model_and_the_store_get_the_redacted_text()
    {
        var model = new ScriptedChatClient("done");
        await using var connection = new FlywheelConnection(Redacting("4111"));
        var chat = model.UseFlywheel(connection, "n", NodeKind.Writer);
        var messages = new List<ChatMessage>
        {
            new(ChatRole.System, "Be kind."), new(ChatRole.User, "my card was 4111"), new(ChatRole.Assistant, "ok"),
            new(ChatRole.User, "charge 4111 now"),
        };

        await chat.GetResponseAsync(messages, cancellationToken: Ct);

        var prompt = Assert.Single(model.Prompts);
        Assert.Equal(["Be kind.", "my card was [secret]", "ok", "charge [secret] now"], prompt.Select(message => message.Text));
        Assert.Equal("charge 4111 now", messages[3].Text);
        var span = await connection.OnlyAsync(Ct);
        Assert.Equal("charge [secret] now", span.Input);
        Assert.DoesNotContain("4111", span.Attributes);
        Assert.Equal(new FoundSpan(7, 8, "secret"), Assert.Single(GuardRecord.Find(span.Attributes, "m")!.Finding.Spans!));
    }

    [Fact]
    public async Task A_secret_that_the_application_splits_over_contents_is_redacted_too()
    {
        var model = new ScriptedChatClient("done");
        await using var connection = new FlywheelConnection(Redacting("4111"));
        var chat = model.UseFlywheel(connection, "n", NodeKind.Writer);

        await chat.GetResponseAsync(
            [new ChatMessage(ChatRole.User, [new TextContent("charge 41"), new TextContent("11 now")])], cancellationToken: Ct);

        Assert.Equal("charge [secret] now", Assert.Single(model.Prompts)[0].Text);
    }

    [Fact]
    public async Task Guards_that_fail_or_dawdle_never_block_unless_the_node_says_so()
    {
        var broken = new ScriptedLoop { OnGuard = (_, _) => throw new IOException("gone") };
        var slow = new ScriptedLoop { OnGuard = async (_, ct) => { await Task.Delay(Timeout.Infinite, ct); return null!; } };
        foreach (var loop in new[] { broken, slow })
        {
            await using var connection = new FlywheelConnection(loop);
            var open = new ScriptedChatClient("hello")
                .UseFlywheel(connection, "n", configure: node => node.GuardDeadline = TimeSpan.FromMilliseconds(20));
            var closed = new ScriptedChatClient("hello").UseFlywheel(connection, "n", configure: node =>
                (node.GuardDeadline, node.BlockWhenGuardFails) = (TimeSpan.FromMilliseconds(20), true));

            Assert.Equal("hello", (await open.GetResponseAsync("hi", cancellationToken: Ct)).Text);
            Assert.Null((await Assert.ThrowsAsync<InputBlockedException>(() => closed.GetResponseAsync("hi", cancellationToken: Ct)))
                .Answer);
            Assert.Equal(2, connection.Statistics.FailedGuards);
        }
    }

    [Fact]
    public async Task A_node_may_go_unguarded()
    {
        var loop = Blocking();
        await using var connection = new FlywheelConnection(loop);
        var chat = new ScriptedChatClient("hello").UseFlywheel(connection, "n", configure: node => node.UseGuards = false);

        Assert.Equal("hello", (await chat.GetResponseAsync("you fool", cancellationToken: Ct)).Text);
        Assert.Empty(loop.GuardQueries);
    }
}
