using Flywheel.Client;
using Flywheel.Core;
using Flywheel.TestServer;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Time.Testing;

namespace Flywheel.Tests.Client;

public sealed class RetrievalGuardTests
{
    static CancellationToken Ct => TestContext.Current.CancellationToken;

    static ScriptedLoop Asking(Func<CancellationToken, Task<IReadOnlyList<ChosenDemonstration>>> answer) =>
        new() { OnDemonstrate = (_, ct) => answer(ct) };

    public static TheoryData<string, ScriptedLoopFault> Faults => new()
    {
        { "throws", _ => throw new InvalidOperationException("broken index") },
        { "fails later", async _ => { await Task.Yield(); throw new HttpRequestException("connection refused"); } },
        { "hangs", async ct => { await Task.Delay(Timeout.Infinite, ct); return []; } },
        { "hangs and ignores its token", async _ => { await Task.Delay(Timeout.Infinite, CancellationToken.None); return []; } },
        { "blocks its thread", _ => { Thread.Sleep(400); return Task.FromResult<IReadOnlyList<ChosenDemonstration>>([]); } },
        { "is overloaded", _ => throw new Flywheel.Core.Traces.OverloadedException(TimeSpan.FromMinutes(1)) },
        { "answers nonsense", _ => Task.FromResult<IReadOnlyList<ChosenDemonstration>>([null!]) },
    };

    public delegate Task<IReadOnlyList<ChosenDemonstration>> ScriptedLoopFault(CancellationToken ct);

    [Theory]
    [MemberData(nameof(Faults), DisableDiscoveryEnumeration = true)]
    public async Task A_loop_that_fails_costs_the_demonstrations_and_nothing_else(string how, ScriptedLoopFault fault)
    {
        var loop = Asking(ct => fault(ct));
        await using var connection = new FlywheelConnection(loop, new() { MaxDelay = TimeSpan.Zero });
        var model = new ScriptedChatClient("answer");
        var chat = model.UseFlywheel(connection, "n", configure: o => o.RetrievalDeadline = TimeSpan.FromMilliseconds(60));

        var response = await chat.GetResponseAsync("hi", cancellationToken: Ct).WaitAsync(Eventually.Limit, Ct);

        Assert.Equal("answer", response.Text);
        Assert.Equal("hi", Assert.Single(Assert.Single(model.Prompts)).Text);
        var span = await connection.OnlyAsync(Ct);
        Assert.Equal("answer", span.Output);
        Assert.Empty(span.Demonstrations);
        var statistics = connection.Statistics;
        Assert.True(statistics.FailedRetrievals + statistics.OtherFailures == 1, how);
        Assert.NotNull(statistics.LastFailure);
    }

    [Fact]
    public async Task Without_the_guard_the_same_loop_would_break_the_application()
    {
        var loop = Asking(_ => throw new InvalidOperationException("broken index"));

        await Assert.ThrowsAsync<InvalidOperationException>(() => loop.DemonstrateAsync(new("n", "hi"), Ct));
    }

    [Fact]
    public async Task An_applications_own_faulty_settings_do_not_break_its_calls()
    {
        var loop = ScriptedLoop.Showing(("q", "a"));
        await using var connection = new FlywheelConnection(loop);
        var model = new ScriptedChatClient("answer");
        var reads = model.UseFlywheel(connection, "n", configure: o => o.ReadInput = _ => throw new FormatException("read"));
        var formats = model.UseFlywheel(connection, "n", configure: o => o.FormatInput = _ => throw new FormatException("format"));
        var prices = model.UseFlywheel(connection, "n", configure: o => o.ReadCostUsd = _ => throw new FormatException("price"));

        foreach (var chat in new[] { reads, formats, prices })
            Assert.Equal("answer", (await chat.GetResponseAsync("hi", cancellationToken: Ct)).Text);

        await connection.FlushAsync(Ct);
        Assert.Equal((3, 3), (connection.Statistics.OtherFailures, connection.Statistics.Recorded));
        Assert.Empty(loop.Kept.ElementAt(1).Demonstrations);
    }

    [Fact]
    public async Task After_failures_in_a_row_it_stops_asking_for_a_while()
    {
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var working = false;
        var loop = Asking(_ =>
            working ? Task.FromResult<IReadOnlyList<ChosenDemonstration>>([]) : throw new HttpRequestException("refused"));
        await using var connection = new FlywheelConnection(loop, new() { Time = clock, DrainTimeout = TimeSpan.Zero });
        var chat = new ScriptedChatClient("answer").UseFlywheel(connection, "n");

        for (var i = 0; i < 8; i++)
            await chat.GetResponseAsync("hi", cancellationToken: Ct);
        Assert.Equal(5, loop.Queries.Count);
        Assert.Equal(8, connection.Statistics.FailedRetrievals);

        clock.Advance(TimeSpan.FromSeconds(11));
        working = true;
        for (var i = 0; i < 3; i++)
            await chat.GetResponseAsync("hi", cancellationToken: Ct);
        Assert.Equal(8, loop.Queries.Count);
        Assert.Equal(8, connection.Statistics.FailedRetrievals);
    }

    [Fact]
    public async Task A_listener_hears_of_failures_and_its_own_are_swallowed()
    {
        var heard = new List<FlywheelFailure>();
        var loop = Asking(_ => throw new InvalidOperationException("broken index"));
        await using var connection = new FlywheelConnection(loop, new()
        {
            OnFailure = failure => { heard.Add(failure); throw new InvalidOperationException("listener"); },
        });

        await new ScriptedChatClient("answer").UseFlywheel(connection, "n").GetResponseAsync("hi", cancellationToken: Ct);

        var failure = Assert.Single(heard);
        Assert.Equal(FlywheelFailureKind.Retrieval, failure.Kind);
        Assert.Contains("broken index", failure.Message, StringComparison.Ordinal);
    }
}
