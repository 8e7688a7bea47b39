using Flywheel.Client;
using Flywheel.Core.Traces;
using Microsoft.Extensions.AI;

namespace Flywheel.Tests.Client;

public sealed class StepTests
{
    static CancellationToken Ct => TestContext.Current.CancellationToken;

    sealed record Order(string Number, int Items);

    static async Task<IReadOnlyList<NewSpan>> RecordedAsync(Func<FlywheelConnection, Task> run)
    {
        var loop = new ScriptedLoop();
        await using var connection = new FlywheelConnection(loop, new() { MaxDelay = TimeSpan.Zero });
        await run(connection);
        await connection.FlushAsync(Ct);
        return [.. loop.Kept];
    }

    [Fact]
    public async Task A_step_that_is_run_has_its_input_its_output_and_its_time()
    {
        var spans = await RecordedAsync(async connection =>
        {
            var count = await FlywheelScope.RunAsync("orders_query", NodeKind.Tool, "SELECT count(*)", async ct =>
            {
                await Task.Delay(20, ct);
                return "3";
            }, connection, Ct);
            Assert.Equal("3", count);
        });

        var span = Assert.Single(spans);
        Assert.Equal(("orders_query", NodeKind.Tool, "SELECT count(*)", "3", null),
            (span.Node, span.Kind, span.Input, span.Output, span.Error));
        Assert.True(span.DurationMs >= 15, $"{span.DurationMs}");
    }

    [Fact]
    public async Task What_is_no_text_is_recorded_as_json()
    {
        var spans = await RecordedAsync(async connection =>
        {
            await FlywheelScope.RunAsync(
                "find", NodeKind.Retriever, new { order = "A-1" }, ct => Task.FromResult(new Order("A-1", 2)), connection, Ct);
            Assert.Equal(5, FlywheelScope.Run("add", NodeKind.Other, new[] { 2, 3 }, () => 5, connection));
            await FlywheelScope.RunAsync("wait", NodeKind.Other, null, ct => Task.Delay(1, ct), connection, Ct);
        });

        Assert.Equal(["""{"order":"A-1"}""", "[2,3]", null], spans.Select(span => span.Input));
        Assert.Equal(["""{"number":"A-1","items":2}""", "5", null], spans.Select(span => span.Output));
    }

    [Fact]
    public async Task What_a_step_throws_is_recorded_and_thrown_on_unchanged()
    {
        var thrown = new TimeoutException("too slow");
        var spans = await RecordedAsync(async connection =>
        {
            Assert.Same(thrown, await Assert.ThrowsAsync<TimeoutException>(
                () => FlywheelScope.RunAsync<string>("a", NodeKind.Tool, "in", _ => throw thrown, connection, Ct)));
            Assert.Same(thrown, await Assert.ThrowsAsync<TimeoutException>(
                () => FlywheelScope.RunAsync("b", NodeKind.Tool, "in", _ => Task.FromException(thrown), connection, Ct)));
            Assert.Same(thrown, Assert.Throws<TimeoutException>(
                () => FlywheelScope.Run<int>("c", NodeKind.Tool, "in", () => throw thrown, connection)));
        });

        Assert.Equal(["a", "b", "c"], spans.Select(span => span.Node));
        Assert.All(spans, span => Assert.Equal(("System.TimeoutException: too slow", null), (span.Error, span.Output)));
    }

    [Fact]
    public async Task A_step_may_add_attributes_and_its_own_output()
    {
        var spans = await RecordedAsync(async connection =>
            Assert.Equal(3, await FlywheelScope.RunAsync("q", NodeKind.Tool, "in", (step, _) =>
            {
                step.Set("rows", 3);
                step.Output = "three rows";
                return Task.FromResult(3);
            }, connection, Ct)));

        var span = Assert.Single(spans);
        Assert.Equal(("three rows", """{"rows":3}"""), (span.Output, span.Attributes));
    }

    sealed class Unwritable
    {
        public Unwritable Self => throw new InvalidOperationException("no");

        public override string ToString() => throw new InvalidOperationException("no");
    }

    [Fact]
    public async Task A_value_that_cannot_be_described_does_not_break_the_step()
    {
        var spans = await RecordedAsync(async connection =>
            Assert.NotNull(await FlywheelScope.RunAsync(
                "q", NodeKind.Tool, new Unwritable(), _ => Task.FromResult(new Unwritable()), connection, Ct)));

        Assert.Contains("could not be written", Assert.Single(spans).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Steps_and_calls_inside_a_step_are_its_children_across_awaits_and_parallel_branches()
    {
        var spans = await RecordedAsync(async connection =>
        {
            var chat = new ScriptedChatClient("ok").UseFlywheel(connection, "model");
            using var trace = FlywheelTrace.Start("chat-1", "ada", connection);
            await FlywheelScope.RunAsync("root", NodeKind.Other, null, async ct =>
            {
                await Task.Yield();
                await Task.WhenAll(Enumerable.Range(0, 3)
                    .Select(branch => FlywheelScope.RunAsync($"branch{branch}", NodeKind.Tool, null, async inner =>
                {
                    await Task.Delay(5, inner);
                    await chat.GetResponseAsync($"{branch}", cancellationToken: inner);
                }, ct: ct)));
            }, ct: Ct);
            Assert.Null(Flywheel.Client.Tracing.Position.Current!.SpanId);
        });

        var root = Assert.Single(spans, span => span.Node == "root");
        Assert.Null(root.ParentId);
        var branches = spans.Where(span => span.Node.StartsWith("branch", StringComparison.Ordinal)).ToList();
        Assert.Equal(3, branches.Count);
        Assert.All(branches, branch => Assert.Equal(root.Key.Span, branch.ParentId));
        Assert.All(spans.Where(span => span.Node == "model"), call =>
            Assert.Equal($"branch{call.Input}", Assert.Single(branches, branch => branch.Key.Span == call.ParentId).Node));
        Assert.All(spans, span => Assert.Equal((root.Key.Trace, "chat-1", "ada"), (span.Key.Trace, span.Session, span.EndUser)));
    }
}
