using System.Diagnostics;
using Flywheel.Client;
using Flywheel.Core.Traces;
using Microsoft.Extensions.AI;

namespace Flywheel.Tests.Client;

[Collection("the default connection")]
public sealed class TraceTests
{
    static readonly FlywheelOptions Prompt = new() { MaxDelay = TimeSpan.Zero };

    static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Concurrent_requests_keep_their_own_traces_across_awaits()
    {
        var loop = new ScriptedLoop();
        await using var connection = new FlywheelConnection(loop, Prompt);
        var chat = new ScriptedChatClient(async (_, ct) =>
        {
            await Task.Delay(1, ct);
            return new(new ChatMessage(ChatRole.Assistant, "ok"));
        }).UseFlywheel(connection, "n");

        await Task.WhenAll(Enumerable.Range(0, 20).Select(async request =>
        {
            using var trace = FlywheelTrace.Start(session: $"s{request}");
            await Task.Yield();
            using var outer = FlywheelScope.Node("outer", NodeKind.Other);
            await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => chat.GetResponseAsync("hi", cancellationToken: Ct)));
        }));

        await connection.FlushAsync(Ct);
        var traces = loop.Kept.GroupBy(s => s.Key.Trace).ToList();
        Assert.Equal(20, traces.Count);
        Assert.All(traces, spans =>
        {
            Assert.Equal(4, spans.Count());
            Assert.Single(spans.Select(s => s.Session).Distinct());
            var outer = Assert.Single(spans, s => s.Node == "outer");
            Assert.All(spans.Where(s => s.Node == "n"), s => Assert.Equal(outer.Key.Span, s.ParentId));
        });
    }

    [Fact]
    public async Task A_node_called_within_a_node_is_its_child()
    {
        var loop = new ScriptedLoop();
        await using var connection = new FlywheelConnection(loop, Prompt);
        var inner = new ScriptedChatClient("inner").UseFlywheel(connection, "inner");
        var outer = new ScriptedChatClient((messages, ct) => inner.GetResponseAsync(messages, cancellationToken: ct))
            .UseFlywheel(connection, "outer");

        var response = await outer.GetResponseAsync("hi", cancellationToken: Ct);

        await connection.FlushAsync(Ct);
        var (child, parent) = (loop.Kept.First(), loop.Kept.Last());
        Assert.Equal(("inner", "outer"), (child.Node, parent.Node));
        Assert.Equal((parent.Key.Trace, parent.Key.Span), (child.Key.Trace, child.ParentId));
        Assert.Equal(parent.Key, response.SpanKey());
    }

    [Fact]
    public async Task An_activity_gives_the_trace_and_the_parent()
    {
        await using var connection = new FlywheelConnection(new ScriptedLoop(), Prompt);
        var chat = new ScriptedChatClient("ok").UseFlywheel(connection, "n");
        using var activity = new Activity("request").SetIdFormat(ActivityIdFormat.W3C).Start();

        using (FlywheelTrace.Start(endUser: "ada"))
            await chat.GetResponseAsync("hi", cancellationToken: Ct);

        var span = await connection.OnlyAsync(Ct);
        Assert.Equal((activity.TraceId.ToHexString(), activity.SpanId.ToHexString()), (span.Key.Trace, span.ParentId));
        Assert.NotEqual(activity.SpanId.ToHexString(), span.Key.Span);
        Assert.Equal("ada", span.EndUser);
    }

    [Fact]
    public async Task An_activity_inside_a_step_does_not_tear_the_trace_apart()
    {
        var loop = new ScriptedLoop();
        await using var connection = new FlywheelConnection(loop, Prompt);
        var chat = new ScriptedChatClient("ok").UseFlywheel(connection, "n");

        using (FlywheelScope.Node("step", NodeKind.Tool, connection))
        using (new Activity("unseen").SetIdFormat(ActivityIdFormat.W3C).Start())
            await chat.GetResponseAsync("hi", cancellationToken: Ct);

        await connection.FlushAsync(Ct);
        var step = Assert.Single(loop.Kept, s => s.Node == "step");
        var call = Assert.Single(loop.Kept, s => s.Node == "n");
        Assert.Equal((step.Key.Trace, step.Key.Span), (call.Key.Trace, call.ParentId));
    }

    [Fact]
    public async Task Calls_outside_a_trace_are_traces_of_their_own()
    {
        var loop = new ScriptedLoop();
        await using var connection = new FlywheelConnection(loop, Prompt);
        var chat = new ScriptedChatClient("ok").UseFlywheel(connection, "n");

        using (FlywheelTrace.Start())
            Assert.NotNull(FlywheelTrace.Current);
        await chat.GetResponseAsync("hi", cancellationToken: Ct);
        await chat.GetResponseAsync("hi", cancellationToken: Ct);

        await connection.FlushAsync(Ct);
        Assert.Null(FlywheelTrace.Current);
        Assert.Equal(2, loop.Kept.Select(s => s.Key.Trace).Distinct().Count());
        Assert.All(loop.Kept, s => Assert.Null(s.ParentId));
    }

    [Fact]
    public async Task A_step_records_what_went_in_what_came_out_and_what_failed()
    {
        var loop = new ScriptedLoop();
        await using var connection = new FlywheelConnection(loop, Prompt);

        using (var step = FlywheelScope.Node("orders_query", NodeKind.Tool, connection))
        {
            step.Input = "SELECT 1";
            step.Set("rows", 1);
            step.Set("self", new { ok = true });
            step.Fail(new TimeoutException("too slow"));
        }

        var span = await connection.OnlyAsync(Ct);
        Assert.Equal(("orders_query", NodeKind.Tool, "SELECT 1", null), (span.Node, span.Kind, span.Input, span.Output));
        Assert.Equal("System.TimeoutException: too slow", span.Error);
        Assert.Equal("""{"rows":1,"self":{"ok":true},"error.type":"System.TimeoutException"}""", span.Attributes);
    }

    [Fact]
    public async Task A_step_is_recorded_where_the_traces_calls_are_even_when_it_came_first()
    {
        var loop = new ScriptedLoop();
        await using var connection = new FlywheelConnection(loop, Prompt);
        var chat = new ScriptedChatClient("ok").UseFlywheel(connection, "n");

        using (FlywheelTrace.Start())
        using (FlywheelScope.Node("before", NodeKind.Other))
            await chat.GetResponseAsync("hi", cancellationToken: Ct);

        await connection.FlushAsync(Ct);
        Assert.Equal(["n", "before"], loop.Kept.Select(s => s.Node));
    }

    [Fact]
    public void A_step_that_nobody_records_is_counted()
    {
        var before = FlywheelConnection.UnrecordedSteps;

        FlywheelScope.Node("lost", NodeKind.Tool).Dispose();

        Assert.True(FlywheelConnection.UnrecordedSteps > before);
    }
}
