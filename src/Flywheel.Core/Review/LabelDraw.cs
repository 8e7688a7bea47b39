using Flywheel.Core.Statistics;

namespace Flywheel.Core.Review;

/// <summary>A judged item that might be drawn for a label.</summary>
/// <param name="Verdict">The judge's; null when it was unsure.</param>
/// <param name="Pass">Forecast P(a person passes it), made without its own label, in [0, 1].</param>
/// <param name="Novelty">How little it resembles what was labelled, in [0, 1]; 1 when nothing was.</param>
/// <param name="Vector">Unit vector of its text.</param>
/// <param name="Already">With which chance it was drawn by the audit of all traffic; 0 when it was not.</param>
public readonly record struct DrawCandidate(bool? Verdict, double Pass, double Novelty, float[] Vector, double Already = 0);

/// <summary>Which judged items people label next, so that true rates get narrow fast and stay true.</summary>
/// <remarks>
/// <para>Half of the labels are an even audit of everything; the other half goes to the verdicts after Neyman (1934), each verdict at least
/// a
/// tenth of all, and within a verdict to the items whose answer is least certain and that resemble labelled ones least. The even half
/// bounds
/// every weight 1 / chance at twice the mean one.</para>
/// <para>Items are drawn systematically along a path through their neighbourhoods (Madow 1949): each with exactly its chance, near ones
/// seldom
/// together, and as many as were asked for, give or take one. An item is considered once. What the audit drew before stays drawn: the
/// rest of its chance is drawn here, so that both together have the chance that is kept.</para>
/// </remarks>
public static class LabelDraw
{
    const double AuditShare = 0.5;
    const double LeastShare = 0.1;

    /// <summary>Chance of each candidate to be labelled, in (0, 1]; they add up to the budget, or to all when that is less.</summary>
    /// <param name="cells">Counts so far, which tell how mixed each verdict is; verdicts without any count as even.</param>
    /// <param name="audited">The rate at which the audit draws each item by itself: nothing has a smaller chance.</param>
    public static double[] Chances(IReadOnlyList<DrawCandidate> candidates, IReadOnlyList<VerdictCell> cells, double budget, double audited)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(budget);
        var chances = new double[candidates.Count];
        if (candidates.Count <= budget)
        {
            Array.Fill(chances, 1);
            return chances;
        }
        var verdicts = Enumerable.Range(0, candidates.Count).GroupBy(i => candidates[i].Verdict)
            .Select(group => (At: group.ToArray(),
                Mixed: group.Count() * Deviation(VerdictCell.Pool(group.Key, cells.Where(cell => cell.Verdict == group.Key)))))
            .ToArray();
        var mixed = verdicts.Sum(verdict => verdict.Mixed);
        var shares = verdicts.Select(verdict =>
            Math.Max(LeastShare, AuditShare * verdict.At.Length / candidates.Count + (1 - AuditShare) * verdict.Mixed / mixed)).ToArray();
        var even = AuditShare * budget / candidates.Count;
        // What a small verdict cannot use goes to the others.
        var left = budget;
        var open = verdicts.Zip(shares, (verdict, share) => (verdict.At, Share: share)).OrderBy(it => it.At.Length / it.Share).ToArray();
        for (var v = 0; v < open.Length; v++)
        {
            var at = open[v].At;
            var labels = Math.Min(at.Length, left * open[v].Share / open[v..].Sum(it => it.Share));
            left -= labels;
            Spread(
                at, i => Math.Sqrt(Math.Max(0.01, candidates[i].Pass * (1 - candidates[i].Pass))) * (1 + candidates[i].Novelty), labels,
                Math.Min(even, labels / at.Length), chances);
        }
        for (var i = 0; i < chances.Length; i++)
            chances[i] = Math.Max(chances[i], Math.Max(audited, candidates[i].Already));
        return chances;
    }

    /// <summary>Which candidates are drawn now, in no telling order; those that the audit drew are not among them.</summary>
    /// <param name="chances">From <see cref="Chances"/>.</param>
    public static IReadOnlyList<int> Draw(
        IReadOnlyList<DrawCandidate> candidates, IReadOnlyList<double> chances, double audited, Random random)
    {
        var path = Path(candidates, random);
        var drawn = new List<int>();
        var sum = random.NextDouble();
        foreach (var i in path)
        {
            if (candidates[i].Already > 0)
                continue;
            var before = Math.Floor(sum);
            sum += audited < 1 ? (chances[i] - audited) / (1 - audited) : 0;
            if (Math.Floor(sum) > before)
                drawn.Add(i);
        }
        return drawn;
    }

    /// <summary>Gives out labels in proportion to weights, each item at least <paramref name="least"/> and at most one.</summary>
    static void Spread(int[] at, Func<int, double> weight, double labels, double least, double[] chances)
    {
        var weights = at.Select(weight).ToArray();
        double low = 0, high = (labels + 1) / weights.Min();
        for (var step = 0; step < 60; step++)
        {
            var middle = (low + high) / 2;
            if (weights.Sum(each => Math.Min(1, least + middle * each)) < labels)
                low = middle;
            else
                high = middle;
        }
        for (var i = 0; i < at.Length; i++)
            chances[at[i]] = Math.Min(1, least + high * weights[i]);
    }

    /// <summary>Through one verdict after the other, and there from one neighbourhood to the nearest that is left.</summary>
    static List<int> Path(IReadOnlyList<DrawCandidate> candidates, Random random)
    {
        var path = new List<int>(candidates.Count);
        foreach (var verdict in Enumerable.Range(0, candidates.Count).GroupBy(i => candidates[i].Verdict).OrderBy(group => group.Key))
        {
            var all = verdict.ToArray();
            random.Shuffle(all);
            var centres = all.Take((int)Math.Ceiling(Math.Sqrt(all.Length) / 2)).ToList();
            var members = all.GroupBy(i => centres.MaxBy(centre => Cosine(candidates[i].Vector, candidates[centre].Vector)))
                .ToDictionary(group => group.Key, group => group.ToArray());
            for (var here = centres[0]; ; here = centres.MaxBy(centre => Cosine(candidates[here].Vector, candidates[centre].Vector)))
            {
                centres.Remove(here);
                if (members.TryGetValue(here, out var near))
                    path.AddRange(near.OrderByDescending(i => Cosine(candidates[i].Vector, candidates[here].Vector)));
                if (centres.Count == 0)
                    break;
            }
        }
        return path;
    }

    static double Deviation(VerdictCell cell)
    {
        var share = (cell.Passes + 0.5) / (cell.Passes + cell.Fails + 1);
        return Math.Sqrt(share * (1 - share));
    }

    static double Cosine(float[] a, float[] b)
    {
        float sum = 0;
        for (var i = 0; i < Math.Min(a.Length, b.Length); i++)
            sum += a[i] * b[i];
        return sum;
    }
}
