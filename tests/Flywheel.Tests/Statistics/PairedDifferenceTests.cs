using Flywheel.Core.Statistics;

namespace Flywheel.Tests.Statistics;

public sealed class PairedDifferenceTests
{
    [Theory]
    [InlineData(1, 9, 22.0 / 1024)] // twice the tail of Binomial(10, 1/2) at 1: (1 + 10) / 1024
    [InlineData(9, 1, 22.0 / 1024)]
    [InlineData(5, 5, 1)]
    [InlineData(0, 0, 1)]
    [InlineData(0, 6, 2.0 / 64)]
    public void McNemars_exact_test_is_the_binomial_tail(long first, long second, double p) =>
        Assert.Equal(p, PairedDifference.Of(3, first, second, 4).PValue, precision: 12);

    [Fact]
    public void The_interval_of_a_published_table_is_the_published_one_within_its_correction()
    {
        // Approval of the British Prime Minister, Agresti 2002, table 10.1: difference 0.04, 95 % interval 0.02 to 0.06.
        var pair = PairedDifference.Of(794, 150, 86, 570);

        Assert.Equal(-0.04, pair.Difference.Value!.Value, precision: 12);
        Assert.Equal(-0.0587, pair.Difference.Low, precision: 4);
        Assert.Equal(-0.0212, pair.Difference.High, precision: 4);
        Assert.Equal(1600, pair.Difference.N);
        Assert.InRange(pair.PValue, 1e-6, 1e-4); // z² = 17.36
    }

    [Fact]
    public void Nothing_to_compare_says_nothing()
    {
        var none = PairedDifference.Of(0, 0, 0, 0);

        Assert.Equal((null, -1.0, 1.0, 1.0), (none.Difference.Value, none.Difference.Low, none.Difference.High, none.PValue));
        Assert.True(PairedDifference.Of(10, 0, 0, 0).Difference is { Value: 0, Low: < -0.05, High: > 0.05 });
    }

    [Fact]
    public void The_interval_covers_the_truth_as_often_as_it_says()
    {
        var random = new Random(7);
        const int Tables = 4_000, Rows = 60;
        var covered = 0;
        for (var table = 0; table < Tables; table++)
        {
            long both = 0, first = 0, second = 0, none = 0;
            for (var row = 0; row < Rows; row++)
                switch (random.NextDouble())
                {
                    case < 0.6: both++; break;
                    case < 0.65: first++; break;
                    case < 0.8: second++; break;
                    default: none++; break;
                }
            var difference = PairedDifference.Of(both, first, second, none).Difference;
            if (difference.Low <= 0.10 && 0.10 <= difference.High)
                covered++;
        }

        Assert.InRange((double)covered / Tables, 0.94, 0.97);
    }
}
