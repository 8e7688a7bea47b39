using Flywheel.Engine.Models;
using Microsoft.Extensions.Time.Testing;

namespace Flywheel.Tests.Models;

public class PaceTests
{
    static readonly TimeSpan Step = TimeSpan.FromMilliseconds(1);

    /// <summary>Callers that always want to call, on a clock that a busy machine moves unevenly.</summary>
    static async Task<List<DateTimeOffset>> StartsAsync(
        double? limit, TimeSpan length, Random stalls, Action<FakeTimeProvider, Pace>? at = null)
    {
        var clock = new FakeTimeProvider(new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));
        var pace = new Pace(limit, clock);
        var starts = new List<DateTimeOffset>();
        using var over = new CancellationTokenSource();
        var callers = Enumerable.Range(0, 20).Select(async _ =>
        {
            while (!over.IsCancellationRequested)
            {
                await pace.WaitAsync(over.Token);
                lock (starts)
                    starts.Add(clock.GetUtcNow());
                if (limit is null)
                    await Task.Delay(Step, clock, over.Token);
            }
        }).ToArray();
        var end = clock.GetUtcNow() + length;
        while (clock.GetUtcNow() < end)
        {
            at?.Invoke(clock, pace);
            clock.Advance(stalls.Next(100) == 0 ? TimeSpan.FromMilliseconds(stalls.Next(2, 60)) : Step);
        }
        await over.CancelAsync();
        await ((Task)Task.WhenAll(callers)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return starts;
    }

    static int Busiest(List<DateTimeOffset> starts)
    {
        var (most, first) = (0, 0);
        for (var last = 0; last < starts.Count; last++)
        {
            while (starts[last] - starts[first] >= TimeSpan.FromSeconds(1))
                first++;
            most = Math.Max(most, last - first + 1);
        }
        return most;
    }

    [Theory]
    [InlineData(200)]
    [InlineData(20)]
    [InlineData(5)]
    [InlineData(0.5)]
    public async Task No_second_holds_more_than_the_limit_and_nearly_all_of_it_is_used(double limit)
    {
        var starts = await StartsAsync(limit, TimeSpan.FromSeconds(22), new(1));

        Assert.InRange(Busiest(starts), 1, Math.Max(1, (int)limit));
        var afterTheBeginning = starts.Count(at => at >= starts[0] + TimeSpan.FromSeconds(2));
        Assert.InRange(afterTheBeginning / 20.0, 0.95 * limit, limit + 0.05); // one call over is the first
    }

    [Fact]
    public async Task Without_a_limit_the_same_callers_exceed_it_by_far() =>
        Assert.InRange(Busiest(await StartsAsync(null, TimeSpan.FromSeconds(3), new(1))), 1_000, int.MaxValue);

    [Fact]
    public async Task A_young_process_begins_slowly_and_reaches_its_pace_in_two_seconds()
    {
        var starts = await StartsAsync(200, TimeSpan.FromSeconds(4), new(1));

        int Within(double from, double to) =>
            starts.Count(at => (at - starts[0]).TotalSeconds >= from && (at - starts[0]).TotalSeconds < to);
        Assert.InRange(Within(0, 0.1), 3, 8);
        Assert.InRange(Within(0, 1), 50, 110);
        Assert.InRange(Within(2, 3), 185, 200);
    }

    [Fact]
    public async Task A_hold_stops_every_caller_until_it_is_over()
    {
        var held = new DateTimeOffset(2026, 3, 1, 12, 0, 1, TimeSpan.Zero);
        var isHeld = false;

        var starts = await StartsAsync(100, TimeSpan.FromSeconds(5), new(1), (clock, pace) =>
        {
            if (!isHeld && clock.GetUtcNow() >= held)
            {
                pace.Hold(TimeSpan.FromSeconds(2));
                (isHeld, held) = (true, clock.GetUtcNow());
            }
        });

        Assert.DoesNotContain(starts, at => at > held && at < held + TimeSpan.FromSeconds(2));
        Assert.Contains(starts, at => at > held + TimeSpan.FromSeconds(2));
        Assert.InRange(Busiest(starts), 1, 100);
    }
}
