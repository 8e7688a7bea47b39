using Flywheel.Core.Statistics;

namespace Flywheel.Tests.Statistics;

public sealed class EnergyTestTests
{
    [Fact]
    public void The_distance_is_that_of_the_definition()
    {
        var (distance, _) = EnergyTest.Compare([[0f], [2f]], [[1f], [3f]], new Random(1));

        // 2 mean|x - y| = 2 (1 + 3 + 1 + 1) / 4; mean|x - x'| = mean|y - y'| = (0 + 2 + 2 + 0) / 4.
        Assert.Equal(3 - 1 - 1, distance, precision: 6);
    }

    [Fact]
    public void Samples_of_one_distribution_are_told_apart_as_seldom_as_said_and_shifted_ones_are_found()
    {
        var random = new Random(7);
        float[][] Sample(double shift) =>
            [.. Enumerable.Range(0, 40).Select(_ => Enumerable.Range(0, 4).Select(_ => (float)(random.NextDouble() + shift)).ToArray())];

        var same = Enumerable.Range(0, 200).Count(_ => EnergyTest.Compare(Sample(0), Sample(0), random, 99).PValue <= 0.05);
        var shifted = Enumerable.Range(0, 40).Count(_ => EnergyTest.Compare(Sample(0), Sample(0.2), random, 99).PValue <= 0.05);

        Assert.InRange(same, 1, 20);
        Assert.InRange(shifted, 35, 40);
    }

    [Fact]
    public void Equal_vectors_are_no_difference() =>
        Assert.Equal((0, 1), EnergyTest.Compare([[1f], [1f]], [[1f], [1f]], new Random(1)));

    [Fact]
    public void Too_few_or_uneven_vectors_are_refused()
    {
        Assert.ThrowsAny<ArgumentException>(() => EnergyTest.Compare([[1f]], [[1f], [1f]], new Random(1)));
        Assert.ThrowsAny<ArgumentException>(() => EnergyTest.Compare([[1f], [1f, 2f]], [[1f], [1f]], new Random(1)));
    }
}
