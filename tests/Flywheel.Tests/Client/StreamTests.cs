using System.Runtime.CompilerServices;
using System.Text.Json;
using Flywheel.Client;
using Flywheel.Core.Traces;
using Microsoft.Extensions.AI;

namespace Flywheel.Tests.Client;

public sealed class StreamTests
{
    static readonly FlywheelOptions Prompt = new() { MaxDelay = TimeSpan.Zero };

    static CancellationToken Ct => TestContext.Current.CancellationToken;

    static async IAsyncEnumerable<ChatResponseUpdate> Words(
        Exception? failure = null, [EnumeratorCancellation] CancellationToken ct = default)
    {
        foreach (var word in new[] { "one ", "two ", "three" })
        {
            await Task.Yield();
            ct.ThrowIfCancellationRequested();
            yield return new(ChatRole.Assistant, word)
            {
                ResponseId = "r", MessageId = "m", AdditionalProperties = new() { [FlywheelProperties.Confidence] = 0.5f },
            };
        }
        if (failure is not null)
            throw failure;
        yield return new() { ResponseId = "r", MessageId = "m", FinishReason = ChatFinishReason.Stop,
            Contents = [new UsageContent(new() { InputTokenCount = 4, OutputTokenCount = 3 })] };
    }

    static (FlywheelConnection, IChatClient) Streaming(Func<CancellationToken, IAsyncEnumerable<ChatResponseUpdate>> stream)
    {
        var connection = new FlywheelConnection(new ScriptedLoop(), Prompt);
        return (connection, new ScriptedChatClient("") { Stream = stream }.UseFlywheel(connection, "writer", NodeKind.Writer));
    }

    [Fact]
    public async Task A_stream_read_to_its_end_is_one_span_with_the_whole_answer()
    {
        var (connection, chat) = Streaming(ct => Words(ct: ct));
        await using var _ = connection;

        var updates = new List<ChatResponseUpdate>();
        await foreach (var update in chat.GetStreamingResponseAsync("count", cancellationToken: Ct))
            updates.Add(update);

        var span = await connection.OnlyAsync(Ct);
        Assert.Equal("one two three", string.Concat(updates.Select(u => u.Text)));
        Assert.Equal(("one two three", null, 4, 3), (span.Output, span.Error, span.InputTokens, span.OutputTokens));
        Assert.Equal(span.Key, updates[0].SpanKey());
        Assert.Equal(span.Key, updates.ToChatResponse().SpanKey());
        var attributes = JsonElement.Parse(span.Attributes!);
        Assert.True(attributes.GetProperty("gen_ai.request.stream").GetBoolean());
        Assert.Equal(0.5, attributes.GetProperty("flywheel.confidence").GetDouble());
        Assert.True(attributes.GetProperty("gen_ai.response.time_to_first_chunk").GetDouble() > 0);
        Assert.Equal("stop", attributes.GetProperty("gen_ai.output.messages")[0].GetProperty("finish_reason").GetString());
    }

    [Fact]
    public async Task An_abandoned_stream_is_recorded_with_what_was_read()
    {
        var (connection, chat) = Streaming(ct => Words(ct: ct));
        await using var _ = connection;

        await foreach (var update in chat.GetStreamingResponseAsync("count", cancellationToken: Ct))
            if (update.Text == "two ")
                break;

        var span = await connection.OnlyAsync(Ct);
        Assert.Equal("one two ", span.Output);
        Assert.Equal("abandoned: the reader stopped after 2 update(s)", span.Error);
    }

    [Fact]
    public async Task A_stream_that_fails_midway_throws_its_own_exception_and_is_recorded_in_part()
    {
        var fault = new HttpRequestException("connection reset");
        var (connection, chat) = Streaming(ct => Words(fault, ct));
        await using var _ = connection;
        var read = "";

        var seen = await Assert.ThrowsAsync<HttpRequestException>(async () =>
        {
            await foreach (var update in chat.GetStreamingResponseAsync("count", cancellationToken: Ct))
                read += update.Text;
        });

        Assert.Same(fault, seen);
        Assert.Equal("one two three", read);
        var span = await connection.OnlyAsync(Ct);
        Assert.Equal(("one two three", "System.Net.Http.HttpRequestException: connection reset"), (span.Output, span.Error));
    }

    [Fact]
    public async Task A_stream_that_cannot_even_start_is_recorded_with_its_error()
    {
        var (connection, chat) = Streaming(_ => throw new InvalidOperationException("no route"));
        await using var _ = connection;

        await Assert.ThrowsAsync<InvalidOperationException>(async () =>
        {
            await foreach (var update in chat.GetStreamingResponseAsync("count", cancellationToken: Ct)) { }
        });

        var span = await connection.OnlyAsync(Ct);
        Assert.Equal(("System.InvalidOperationException: no route", null), (span.Error, span.Output));
    }

    [Fact]
    public async Task Steps_inside_a_stream_are_children_of_its_span_and_the_readers_are_not()
    {
        var loop = new ScriptedLoop();
        await using var connection = new FlywheelConnection(loop, Prompt);
        async IAsyncEnumerable<ChatResponseUpdate> Stream([EnumeratorCancellation] CancellationToken ct = default)
        {
            for (var i = 0; i < 3; i++)
            {
                await Task.Delay(1, ct);
                using (FlywheelScope.Node("inside", NodeKind.Retriever, connection)) { }
                yield return new(ChatRole.Assistant, "x");
            }
        }
        var chat = new ScriptedChatClient("") { Stream = ct => Stream(ct) }.UseFlywheel(connection, "writer");

        using (FlywheelTrace.Start())
            await foreach (var update in chat.GetStreamingResponseAsync("count", cancellationToken: Ct))
                using (FlywheelScope.Node("reader", NodeKind.Tool, connection)) { }

        await connection.FlushAsync(Ct);
        var writer = Assert.Single(loop.Kept, s => s.Node == "writer");
        Assert.Equal([writer.Key.Span, writer.Key.Span, writer.Key.Span], loop.Kept.Where(s => s.Node == "inside").Select(s => s.ParentId));
        Assert.Equal([null, null, null], loop.Kept.Where(s => s.Node == "reader").Select(s => s.ParentId));
        Assert.Single(loop.Kept.Select(s => s.Key.Trace).Distinct());
    }
}
