using CsCheck;
using Flywheel.Core.Statistics;

namespace Flywheel.Tests.Statistics;

public sealed class LabelAllocationTests
{
    [Fact]
    public void Mixed_verdicts_get_more_than_their_share_of_labels()
    {
        var (pass, fail) = LabelAllocation.Split(new(true, null, 900, 49, 1), new(false, null, 100, 25, 25), 100);

        Assert.Equal(100, pass.Labels + fail.Labels);
        Assert.InRange(fail.Labels, 15, 35); // a tenth of the traffic
        Assert.Equal(pass.Labels / 850.0, pass.Propensity!.Value, 12);
        Assert.Equal(fail.Labels / 50.0, fail.Propensity!.Value, 12);
    }

    [Fact]
    public void Any_budget_is_spent_within_what_waits() =>
        Gen.Select(Gen.Int[0, 3_000], Gen.Int[0, 3_000], Gen.Int[0, 500]).Sample((passes, fails, budget) =>
        {
            var (pass, fail) = LabelAllocation.Split(
                new(true, null, passes, passes / 10, passes / 20), new(false, null, fails, fails / 20, fails / 10), budget);
            return pass.Labels <= pass.Waiting && fail.Labels <= fail.Waiting
                && pass.Labels + fail.Labels == Math.Min(budget, pass.Waiting + fail.Waiting)
                && pass.Propensity is null or >= 0 and <= 1 && fail.Propensity is null or >= 0 and <= 1;
        });

    [Fact]
    public void Uncertain_items_are_likelier_and_none_is_left_out()
    {
        var chances = LabelAllocation.Propensities([.. Enumerable.Repeat(0.99, 500), .. Enumerable.Repeat(0.6, 100)], 80);

        Assert.Equal(80, chances.Sum(), 0.5);
        Assert.All(chances, chance => Assert.InRange(chance, LabelAllocation.LeastPropensity, 1));
        Assert.True(chances[^1] > 4 * chances[0]);
    }
}
