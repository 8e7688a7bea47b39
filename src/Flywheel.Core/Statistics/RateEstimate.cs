namespace Flywheel.Core.Statistics;

/// <summary>How a pass rate was found.</summary>
public enum RateMethod
{
    /// <summary>Beta posterior a verdict: labels are a random part of each verdict's rows.</summary>
    BetaCells,

    /// <summary>The same with labels weighted by 1 / propensity, at their effective number.</summary>
    WeightedBetaCells,

    /// <summary>Augmented inverse-propensity weighting for the pass rate; the judge's numbers from weighted cells.</summary>
    Augmented,
}

/// <summary>What few human and many judge labels say together, with what each says alone.</summary>
/// <param name="Judged">N: all rows.</param>
/// <param name="Labels">n: labels that count.</param>
/// <param name="Unreadable">Rows of N without a readable verdict.</param>
/// <param name="Picked">Labels left out because other rows have propensities and these have none: they were picked, not drawn.</param>
/// <param name="LabelledFails">Of n, those that people failed.</param>
/// <param name="JudgeOnly">The judge's own pass rate over rows with a readable verdict; biased by the judge's errors.</param>
/// <param name="HumanOnly">Wilson interval of the labels alone; weighted labels at their effective number.</param>
/// <param name="Uneven">In words, when labels are spread over strata more unevenly than chance explains and no propensities say
/// why.</param>
public sealed record RateEstimate(
    PassRatePosterior Posterior, RateMethod Method, long Judged, long Labels, long Unreadable, long Picked, long LabelledFails,
    Estimate JudgeOnly, Estimate HumanOnly, string? Uneven)
{
    /// <summary>Labels from which the intervals were seen to keep their promise in simulations (docs/uncertainty.md).</summary>
    public const int EnoughLabels = 20;

    const int AugmentedLabels = 100;
    const int AugmentedFails = 10;

    public static RateEstimate Of(IReadOnlyList<JudgedRow> rows, int seed = 1)
    {
        if (rows.Any(row => row is { Human: not null, Count: not 1 }))
            throw new ArgumentException("A labelled row stands for itself alone.", nameof(rows));
        var drawn = rows.Any(row => row.Propensity is not null);
        var picked = drawn ? rows.Count(row => row is { Human: not null, Propensity: null }) : 0;
        var used = picked == 0
            ? rows : [.. rows.Select(row => row is { Human: not null, Propensity: null } ? row with { Human = null } : row)];
        var labelled = used.Where(row => row.Human is not null).ToArray();
        var fails = labelled.Count(row => row.Human == false);
        long judged = used.Sum(row => row.Count), unreadable = used.Where(row => row.Judge is null).Sum(row => row.Count);
        var judgeOnly = Estimate.Wilson(used.Where(row => row.Judge == true).Sum(row => row.Count), judged - unreadable);

        if (!drawn || labelled.GroupBy(row => row.Judge).All(group => Even(group)))
            return new RateEstimate(
                PassRatePosterior.Of(Cells(used, weighted: false), seed), RateMethod.BetaCells, judged, labelled.Length,
                unreadable, picked, fails, judgeOnly,
                HumanAlone(labelled, weighted: drawn), drawn ? null : UnevenStrata(used));

        var posterior = PassRatePosterior.Of(Cells(used, weighted: true), seed);
        var method = RateMethod.WeightedBetaCells;
        if (labelled.Length >= AugmentedLabels && fails >= AugmentedFails && labelled.Length - fails >= AugmentedFails)
        {
            posterior = posterior with { PassRate = AugmentedEstimate.Weighted(used) };
            method = RateMethod.Augmented;
        }
        return new RateEstimate(
            posterior, method, judged, labelled.Length, unreadable, picked, fails, judgeOnly,
            HumanAlone(labelled, weighted: true), null);
    }

    /// <summary>Rows counted by verdict and stratum.</summary>
    /// <param name="weighted">Labels count 1 / propensity, scaled down to their effective number (Kish 1965); then by verdict alone, since
    /// strata that were sampled differently cannot be pooled afterwards.</param>
    public static IReadOnlyList<VerdictCell> Cells(IReadOnlyList<JudgedRow> rows, bool weighted) =>
        [.. rows.GroupBy(row => (row.Judge, Stratum: weighted ? null : row.Stratum)).Select(group =>
        {
            double sum = 0, squares = 0, passed = 0;
            foreach (var row in group)
            {
                if (row.Human is not { } human)
                    continue;
                var weight = weighted ? 1 / row.Propensity!.Value : 1;
                sum += weight;
                squares += weight * weight;
                passed += human ? weight : 0;
            }
            var effective = sum > 0 ? sum * sum / squares : 0;
            var passes = sum > 0 ? effective * passed / sum : 0;
            return new VerdictCell(
                group.Key.Judge, group.Key.Stratum, group.Sum(row => row.Count), passes, Math.Max(0, effective - passes));
        })];

    static Estimate HumanAlone(JudgedRow[] labelled, bool weighted)
    {
        if (!weighted || Even(labelled))
            return Estimate.Wilson(labelled.Count(row => row.Human == true), labelled.Length);
        var cells = Cells([.. labelled.Select(row => row with { Judge = null, Stratum = null })], weighted: true);
        double passes = cells.Sum(cell => cell.Passes), total = passes + cells.Sum(cell => cell.Fails);
        var (low, high) = Proportion.Wilson(passes, total);
        return new Estimate(passes / total, low, high);
    }

    static bool Even(IEnumerable<JudgedRow> labelled)
    {
        var propensities = labelled.Select(row => row.Propensity!.Value).ToArray();
        return propensities.Length == 0 || propensities.Max() - propensities.Min() <= 1e-9 * propensities.Max();
    }

    /// <summary>A chi-square test at 1 % of equal label rates over the strata of each verdict.</summary>
    static string? UnevenStrata(IReadOnlyList<JudgedRow> rows)
    {
        double statistic = 0;
        var degrees = 0;
        foreach (var verdict in rows.GroupBy(row => row.Judge))
        {
            var rate = verdict.Count(row => row.Human is not null) / (double)verdict.Sum(row => row.Count);
            var strata = verdict.GroupBy(row => row.Stratum, StringComparer.Ordinal).ToArray();
            if (rate is 0 or 1 || strata.Length < 2)
                continue;
            degrees += strata.Length - 1;
            foreach (var stratum in strata)
            {
                double all = stratum.Sum(row => row.Count), labelled = stratum.Count(row => row.Human is not null);
                statistic += (labelled - all * rate) * (labelled - all * rate) / (all * rate * (1 - rate));
            }
        }
        if (degrees == 0)
            return null;
        // Wilson and Hilferty 1931: the cube root of a chi-square is nearly normal.
        var spread = 2.0 / (9 * degrees);
        var z = (Math.Cbrt(statistic / degrees) - (1 - spread)) / Math.Sqrt(spread);
        return z > 2.326
            ? "labels are spread unevenly over the strata and no propensities say why: the overall rates lean towards what was "
            + "labelled most"
            : null;
    }
}
