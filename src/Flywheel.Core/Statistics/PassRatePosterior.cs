namespace Flywheel.Core.Statistics;

/// <summary>The true pass rate and how good the judge is, from few human and many judge labels.</summary>
/// <param name="PassRate">Share of all judged traffic that people would pass.</param>
/// <param name="TruePassRate">TPR: of what people would pass, the share that the judge passes.</param>
/// <param name="TrueFailRate">TNR: of what people would fail, the share that the judge fails.</param>
/// <param name="Kappa">Cohen's kappa between judge and people over all traffic.</param>
/// <param name="Agreement">Share of traffic on which judge and people agree.</param>
/// <remarks>
/// <para>A cell is a verdict, split by stratum only where the labels allow (see <see cref="SplitAt"/>). All four numbers come from the
/// same draws: weights of the cells W ~ Dirichlet(judged + 1/2) over all judged traffic, and for each cell P(human passes | cell) ~
/// Beta(passes + 1/2, fails + 1/2). After Bayesian prediction-powered inference for discrete judges (arXiv 2405.06034).</para>
/// <para>Labels may be given more often to one verdict than to the other; within a verdict (and a stratum) they must be a random part.
/// Rows without a readable verdict are a cell of their own in the pass rate and stand outside the judge's TPR, TNR, kappa.</para>
/// </remarks>
public sealed record PassRatePosterior(Estimate PassRate, Estimate TruePassRate, Estimate TrueFailRate, Estimate Kappa, Estimate Agreement)
{
    public const int Draws = 4_000;

    /// <summary>Labels of both outcomes that a cell of verdict and stratum needs to stand alone.</summary>
    public const int SplitAt = 5;

    /// <param name="seed">Same cells and seed, same answer.</param>
    public static PassRatePosterior Of(IReadOnlyList<VerdictCell> cells, int seed = 1)
    {
        foreach (var cell in cells)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(cell.Passes, nameof(cells));
            ArgumentOutOfRangeException.ThrowIfNegative(cell.Fails, nameof(cells));
            if (cell.Passes + cell.Fails > cell.Judged + 1e-9)
                throw new ArgumentException(
                    $"A cell has {cell.Passes + cell.Fails:0.##} labels on {cell.Judged} judged rows.", nameof(cells));
        }
        var parts = Split(cells);
        var random = new Random(seed);
        var draws = new double[5][];
        for (var i = 0; i < draws.Length; i++)
            draws[i] = new double[Draws];
        var weights = new double[parts.Count];
        for (var draw = 0; draw < Draws; draw++)
        {
            double sum = 0;
            for (var i = 0; i < parts.Count; i++)
                sum += weights[i] = BetaDistribution.Gamma(random, parts[i].Judged + 0.5);
            double passed = 0, hits = 0, falsePasses = 0, misses = 0, rightFails = 0;
            for (var i = 0; i < parts.Count; i++)
            {
                var share = BetaDistribution.Sample(random, parts[i].Passes + 0.5, parts[i].Fails + 0.5);
                var good = weights[i] / sum * share;
                var bad = weights[i] / sum * (1 - share);
                passed += good;
                if (parts[i].Verdict == true)
                    (hits, falsePasses) = (hits + good, falsePasses + bad);
                else if (parts[i].Verdict == false)
                    (misses, rightFails) = (misses + good, rightFails + bad);
            }
            var judged = hits + falsePasses + misses + rightFails;
            (hits, falsePasses, misses, rightFails) = (hits / judged, falsePasses / judged, misses / judged, rightFails / judged);
            var agreement = hits + rightFails;
            var chance = (hits + falsePasses) * (hits + misses) + (misses + rightFails) * (falsePasses + rightFails);
            draws[0][draw] = passed;
            draws[1][draw] = Ratio(hits, hits + misses);
            draws[2][draw] = Ratio(rightFails, falsePasses + rightFails);
            draws[3][draw] = chance < 1 ? (agreement - chance) / (1 - chance) : 1;
            draws[4][draw] = agreement;
        }
        return new PassRatePosterior(
            Estimate.OfDraws(draws[0]), Estimate.OfDraws(draws[1]), Estimate.OfDraws(draws[2]), Estimate.OfDraws(draws[3]),
            Estimate.OfDraws(draws[4]));
    }

    /// <summary>The cells that stand alone, and the rest pooled by verdict; pass and fail are always there.</summary>
    static List<VerdictCell> Split(IReadOnlyList<VerdictCell> cells)
    {
        var parts = new List<VerdictCell>();
        foreach (bool? verdict in (bool?[])[true, false, null])
        {
            var pooled = new List<VerdictCell>();
            foreach (var stratum in cells.Where(cell => cell.Verdict == verdict).GroupBy(cell => cell.Stratum, StringComparer.Ordinal))
            {
                var cell = VerdictCell.Pool(verdict, stratum);
                if (stratum.Key is not null && cell is { Passes: >= SplitAt, Fails: >= SplitAt })
                    parts.Add(cell);
                else
                    pooled.Add(cell);
            }
            var rest = VerdictCell.Pool(verdict, pooled);
            if (rest.Judged > 0 || verdict is not null && parts.All(part => part.Verdict != verdict))
                parts.Add(rest);
        }
        return parts;
    }

    /// <summary>One half when there is nothing to divide by: a draw that says nothing either way.</summary>
    static double Ratio(double part, double whole) => whole > 0 ? part / whole : 0.5;
}
