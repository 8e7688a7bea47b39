namespace Flywheel.Core.Retrieval;

/// <summary>Lets the nearest demonstrations vote on an answer.</summary>
/// <remarks>
/// A demonstration's vote is exp((similarity - largest similarity) / temperature). Plain cosine votes lose accuracy
/// as more vote (EMBEDDINGS.md); here a far one says little however many there are.
/// </remarks>
public static class SoftmaxVote
{
    /// <summary>For pools too small to learn from; near the optimum on every set and embedder measured.</summary>
    public const double DefaultTemperature = 0.1;

    private const int SmallestPool = 20;

    private static readonly double[] Temperatures = [0.02, 0.03, 0.045, 0.07, 0.1, 0.15, 0.22, 0.33];

    /// <summary>The answer with the most votes; equal votes go to the answer first in ordinal order.</summary>
    /// <param name="neighbours">Answers with their cosine to the query, in any order.</param>
    /// <param name="temperature">In cosine, above 0; near 0 the nearest alone decides.</param>
    /// <returns>Null when nobody votes.</returns>
    public static Vote? Of(IEnumerable<(string Answer, double Similarity)> neighbours, double temperature = DefaultTemperature)
    {
        ArgumentNullException.ThrowIfNull(neighbours);
        if (!(temperature > 0))
            throw new ArgumentOutOfRangeException(nameof(temperature), temperature, "Above 0.");

        var voters = neighbours.ToList();
        if (voters.Count == 0)
            return null;

        var nearest = voters.Max(v => v.Similarity);
        var shares = new Dictionary<string, double>();
        var total = 0.0;
        foreach (var (answer, similarity) in voters)
        {
            var vote = Math.Exp((similarity - nearest) / temperature);
            shares[answer] = shares.GetValueOrDefault(answer) + vote;
            total += vote;
        }

        var ranked = shares
            .Select(s => (Answer: s.Key, Share: s.Value / total))
            .OrderByDescending(s => s.Share).ThenBy(s => s.Answer, StringComparer.Ordinal)
            .ToList();
        return new(ranked[0].Answer, ranked[0].Share, ranked);
    }

    /// <summary>The temperature at which a pool's own rows, each left out in turn, are answered right most often.</summary>
    /// <remarks>
    /// Right answers are counted, smoothed over neighbouring temperatures, and a tie goes to the one nearest
    /// <see cref="DefaultTemperature"/>. Not likelihood: its optimum lies near half of the most accurate temperature on
    /// every set measured. Looks at up to <paramref name="sample"/> rows, evenly spaced in the order they came, so that
    /// the cost is that many scans and the result repeatable.
    /// </remarks>
    /// <param name="neighbours">How many vote; 1 or more.</param>
    /// <returns><see cref="DefaultTemperature"/> when the pool has fewer than 20 rows.</returns>
    public static double LearnTemperature(DemonstrationIndex pool, int neighbours, int sample = 512)
    {
        ArgumentNullException.ThrowIfNull(pool);
        ArgumentOutOfRangeException.ThrowIfLessThan(neighbours, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(sample, 1);
        var rows = pool.Sample(sample);
        if (rows.Count < SmallestPool)
            return DefaultTemperature;

        var right = new int[Temperatures.Length];
        foreach (var row in rows)
        {
            var nearest = pool.Nearest(row.Vector, neighbours, without: row.Id).Select(n => (n.Answer, n.Similarity)).ToList();
            for (var t = 0; t < right.Length; t++)
            {
                if (Of(nearest, Temperatures[t])?.Answer == row.Answer)
                    right[t]++;
            }
        }

        int Smoothed(int t) => right[Math.Max(0, t - 1)] + 2 * right[t] + right[Math.Min(right.Length - 1, t + 1)];
        return Enumerable.Range(0, right.Length)
            .OrderByDescending(Smoothed)
            .ThenBy(t => Math.Abs(Math.Log(Temperatures[t] / DefaultTemperature)))
            .Select(t => Temperatures[t])
            .First();
    }
}

/// <summary>What the neighbours say.</summary>
/// <param name="Share">Share of the vote for <paramref name="Answer"/>, in (0, 1]: the confidence.</param>
/// <param name="Shares">Every answer with its share, highest first; they add up to 1.</param>
public sealed record Vote(string Answer, double Share, IReadOnlyList<(string Answer, double Share)> Shares);
