using CsCheck;
using Flywheel.Engine.Jobs;

namespace Flywheel.Tests.Jobs;

public class RetryScheduleTests
{
    [Theory]
    [InlineData(1, 5)]
    [InlineData(2, 20)]
    [InlineData(3, 80)]
    [InlineData(4, 320)]
    [InlineData(5, 900)]
    [InlineData(60, 900)]
    public void The_ceiling_rises_by_a_factor_up_to_the_longest(int failures, double seconds) =>
        Assert.Equal(seconds, RetrySchedule.Default.Delay(failures, null, draw: 1).TotalSeconds, tolerance: 1e-6);

    [Fact]
    public void Jitter_is_full() => Gen.Select(Gen.Int[1, 10], Gen.Double[0, 1]).Sample((failures, draw) =>
    {
        var ceiling = RetrySchedule.Default.Delay(failures, null, 1).TotalSeconds;

        Assert.Equal(ceiling * draw, RetrySchedule.Default.Delay(failures, null, draw).TotalSeconds, tolerance: 1e-6);
    });

    [Fact]
    public void A_wait_that_is_asked_for_is_never_cut_short_unless_it_is_absurd() =>
        Gen.Select(Gen.Int[1, 10], Gen.Int[1, 10_000], Gen.Double[0, 1])
        .Sample((failures, asked, draw) =>
        {
            var delay = RetrySchedule.Default.Delay(failures, TimeSpan.FromSeconds(asked), draw).TotalSeconds;

            Assert.InRange(delay, Math.Min(asked, 900), Math.Min(asked, 900) + 5);
        });

    [Fact]
    public void Before_the_first_failure_there_is_nothing_to_schedule() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => RetrySchedule.Default.Delay(0, null, 0.5));
}
