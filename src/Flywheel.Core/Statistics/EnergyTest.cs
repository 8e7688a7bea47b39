namespace Flywheel.Core.Statistics;

/// <summary>Whether two samples of vectors come from one distribution, by their energy distance and permutations.</summary>
/// <remarks>
/// Székely and Rizzo, InterStat 2004: E = 2 mean|x - y| - mean|x - x'| - mean|y - y'|, which is 0 in expectation exactly when the
/// distributions are the same. Exact under the null whatever they are, since labels are exchangeable then. Memory and time grow with the
/// square of the rows: a few hundred of each are meant.
/// </remarks>
public static class EnergyTest
{
    /// <param name="first">At least 2 vectors, all of one length.</param>
    /// <param name="second">At least 2 vectors of the same length.</param>
    /// <param name="permutations">At least 19; the p-value is no smaller than 1 / (permutations + 1).</param>
    /// <returns>The energy distance, 0 or more, and the share of relabellings with one as large, in (0, 1].</returns>
    public static (double Distance, double PValue) Compare(
        IReadOnlyList<float[]> first, IReadOnlyList<float[]> second, Random random, int permutations = 199)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(second);
        ArgumentNullException.ThrowIfNull(random);
        ArgumentOutOfRangeException.ThrowIfLessThan(first.Count, 2);
        ArgumentOutOfRangeException.ThrowIfLessThan(second.Count, 2);
        ArgumentOutOfRangeException.ThrowIfLessThan(permutations, 19);
        float[][] all = [.. first, .. second];
        if (all.Any(vector => vector.Length != all[0].Length))
            throw new ArgumentException("The vectors are not all of one length.", nameof(second));

        var distances = Distances(all);
        var order = Enumerable.Range(0, all.Length).ToArray();
        var observed = Energy(distances, order, first.Count);
        var asLarge = 1;
        for (var i = 0; i < permutations; i++)
        {
            random.Shuffle(order);
            // Sums in another order differ in the last digits.
            if (Energy(distances, order, first.Count) >= observed - 1e-12)
                asLarge++;
        }
        return (Math.Max(0, observed), asLarge / (permutations + 1.0));
    }

    static float[][] Distances(float[][] all)
    {
        var distances = new float[all.Length][];
        for (var i = 0; i < all.Length; i++)
        {
            distances[i] = new float[all.Length];
            for (var j = 0; j < i; j++)
            {
                var sum = 0f;
                var (x, y) = (all[i], all[j]);
                for (var k = 0; k < x.Length; k++)
                    sum += (x[k] - y[k]) * (x[k] - y[k]);
                distances[i][j] = distances[j][i] = MathF.Sqrt(sum);
            }
        }
        return distances;
    }

    static double Energy(float[][] distances, int[] order, int split)
    {
        double within = 0, between = 0, rest = 0;
        for (var i = 0; i < order.Length; i++)
        {
            var row = distances[order[i]];
            for (var j = 0; j < i; j++)
                if (i < split)
                    within += row[order[j]];
                else if (j < split)
                    between += row[order[j]];
                else
                    rest += row[order[j]];
        }
        double n = split, m = order.Length - split;
        return 2 * between / (n * m) - 2 * within / (n * n) - 2 * rest / (m * m);
    }
}
