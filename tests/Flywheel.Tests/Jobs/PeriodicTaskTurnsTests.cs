using Flywheel.Core.Jobs;
using Flywheel.Engine.Loop;
using Microsoft.Extensions.Time.Testing;

namespace Flywheel.Tests.Jobs;

public sealed class PeriodicTaskTurnsTests
{
    readonly FakeTimeProvider _clock = new(new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));
    readonly Leases _leases = new();
    int _turns;

    static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Of_two_processes_one_takes_the_turns()
    {
        var (one, two) = (Turns("one"), Turns("two"));

        Assert.Equal(1, await one.RunOnceAsync(Ct));
        Assert.Null(await two.RunOnceAsync(Ct));
        Assert.Equal(2, await one.RunOnceAsync(Ct));
        await one.ReleaseAsync();
        Assert.Equal(3, await two.RunOnceAsync(Ct));
    }

    [Fact]
    public async Task Another_process_takes_over_when_the_first_one_says_nothing_any_more()
    {
        var (one, two) = (Turns("one"), Turns("two"));
        await one.RunOnceAsync(Ct);

        _clock.Advance(PeriodicTaskTurns.LeaseLength - TimeSpan.FromSeconds(1));
        Assert.Null(await two.RunOnceAsync(Ct));
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.NotNull(await two.RunOnceAsync(Ct));
        Assert.Null(await one.RunOnceAsync(Ct));
    }

    [Fact]
    public async Task A_lease_is_written_in_its_second_half_only()
    {
        var one = Turns("one");
        for (var second = 0; second < 60; second++)
        {
            await one.RunOnceAsync(Ct);
            _clock.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.InRange(_leases.Claims, 4, 5);
    }

    [Fact]
    public async Task A_long_turn_keeps_its_lease_and_ends_when_another_process_has_it()
    {
        var started = new TaskCompletionSource();
        var turns = new PeriodicTaskTurns(new("plan", TimeSpan.FromSeconds(1), async ct =>
        {
            started.SetResult();
            await Task.Delay(Timeout.Infinite, ct);
            return 1;
        }, OncePerDatabase: true), _leases, "one", _clock);
        var turn = turns.RunOnceAsync(Ct);
        await started.Task;

        // In steps: the fake clock would pass over pauses that begin while it jumps.
        for (var seconds = 0; seconds < 120 && _leases.Claims < 5; seconds += 5)
        {
            _clock.Advance(TimeSpan.FromSeconds(5));
            await Task.Yield();
        }
        Assert.False(turn.IsCompleted);
        _leases.Held["plan"] = ("two", DateTimeOffset.MaxValue);
        while (!turn.IsCompleted)
        {
            _clock.Advance(TimeSpan.FromSeconds(5));
            await Task.Yield();
        }
        Assert.Null(await turn);
    }

    [Fact]
    public async Task A_task_of_the_process_needs_no_lease()
    {
        var task = new PeriodicTask("embed", TimeSpan.FromSeconds(1), _ => Task.FromResult(++_turns), OncePerDatabase: false);

        Assert.Equal(1, await new PeriodicTaskTurns(task, _leases, "one", _clock).RunOnceAsync(Ct));
        Assert.Equal(2, await new PeriodicTaskTurns(task, _leases, "two", _clock).RunOnceAsync(Ct));
        Assert.Equal(0, _leases.Claims);
    }

    PeriodicTaskTurns Turns(string process) => new(
        new("plan", TimeSpan.FromSeconds(1), _ => Task.FromResult(++_turns), OncePerDatabase: true), _leases, process, _clock);

    sealed class Leases : IPeriodicTaskStore
    {
        public Dictionary<string, (string Holder, DateTimeOffset Until)> Held { get; } = [];

        public int Claims { get; private set; }

        public Task<bool> ClaimAsync(string task, string holder, DateTimeOffset now, DateTimeOffset until, CancellationToken ct)
        {
            Claims++;
            if (Held.TryGetValue(task, out var held) && held.Holder != holder && held.Until > now)
                return Task.FromResult(false);
            Held[task] = (holder, until);
            return Task.FromResult(true);
        }

        public Task ReleaseAsync(string task, string holder, CancellationToken ct)
        {
            if (Held.TryGetValue(task, out var held) && held.Holder == holder)
                Held.Remove(task);
            return Task.CompletedTask;
        }
    }
}
