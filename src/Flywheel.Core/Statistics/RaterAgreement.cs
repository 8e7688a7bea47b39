namespace Flywheel.Core.Statistics;

/// <summary>One person's answer on one item; answers are names, without an order.</summary>
public readonly record struct Rating(string Item, string Rater, string Value);

/// <summary>A coefficient with its 95 % interval; null where every answer is the same, since then nothing tells agreement from chance.</summary>
public readonly record struct Coefficient(double? Value, double? Low, double? High);

/// <summary>How far people agree with each other beyond chance: the ceiling for any judge.</summary>
/// <param name="Items">Items that at least two people answered; the others say nothing of agreement.</param>
/// <param name="Alpha">Krippendorff's nominal alpha.</param>
/// <param name="Kappa">Cohen's kappa for two raters, else Fleiss' kappa with items weighted alike.</param>
/// <param name="KappaName"><c>cohen</c> or <c>fleiss</c>.</param>
/// <param name="Agreement">Share of pairs of answers to one item that are equal, items weighted alike.</param>
/// <remarks>Intervals are percentiles over 2,000 bootstrap draws of items; draws in which all answers are the same are left out.</remarks>
public sealed record RaterAgreement(
    int Items, int Raters, int Ratings, int SingleItems, Coefficient Alpha, Coefficient Kappa, string KappaName, Coefficient Agreement)
{
    const int Bootstraps = 2_000;

    public static RaterAgreement Of(IReadOnlyList<Rating> ratings, int seed = 1)
    {
        var values = ratings.Select(rating => rating.Value).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToArray();
        var codes = values.Select((value, code) => (value, code)).ToDictionary(pair => pair.value, pair => pair.code, StringComparer.Ordinal);
        var raters = ratings.Select(rating => rating.Rater).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToArray();
        var groups = ratings.GroupBy(rating => rating.Item, StringComparer.Ordinal).OrderBy(group => group.Key, StringComparer.Ordinal).ToArray();
        var pairable = groups.Where(group => group.Count() > 1).ToArray();
        var counts = pairable.Select(group =>
        {
            var count = new int[values.Length];
            foreach (var rating in group)
                count[codes[rating.Value]]++;
            return count;
        }).ToArray();

        var cohen = raters.Length == 2;
        var pairs = cohen
            ? pairable.Select(group => (First: codes[group.First(rating => rating.Rater == raters[0]).Value], Second: codes[group.First(rating => rating.Rater == raters[1]).Value])).ToArray()
            : [];
        var random = new Random(seed);
        var everything = Enumerable.Range(0, counts.Length).ToArray();
        var draws = new int[Bootstraps][];
        for (var draw = 0; draw < Bootstraps; draw++)
        {
            draws[draw] = new int[counts.Length];
            for (var i = 0; i < counts.Length; i++)
                draws[draw][i] = random.Next(counts.Length);
        }
        return new RaterAgreement(
            pairable.Length, raters.Length, ratings.Count, groups.Length - pairable.Length,
            Spread(chosen => KrippendorffAlpha(counts, chosen)),
            Spread(chosen => cohen ? CohenKappa(pairs, values.Length, chosen) : FleissKappa(counts, chosen)), cohen ? "cohen" : "fleiss",
            Spread(chosen => chosen.Length == 0 ? null : Observed(counts, chosen)));

        Coefficient Spread(Func<int[], double?> of)
        {
            if (of(everything) is not { } value)
                return new Coefficient(null, null, null);
            var found = draws.Select(of).Where(each => each is not null).Select(each => each!.Value).Order().ToArray();
            return new Coefficient(value, Estimate.Quantile(found, 0.025), Estimate.Quantile(found, 0.975));
        }
    }

    /// <summary>1 - observed / expected disagreement, from how often each value was given to each item (Krippendorff 2011).</summary>
    static double? KrippendorffAlpha(int[][] counts, int[] chosen)
    {
        if (chosen.Length == 0)
            return null;
        double all = 0, observed = 0;
        var totals = new double[counts[0].Length];
        foreach (var item in chosen)
        {
            double given = counts[item].Sum(), unequal = given * given;
            for (var value = 0; value < totals.Length; value++)
            {
                totals[value] += counts[item][value];
                unequal -= (double)counts[item][value] * counts[item][value];
            }
            all += given;
            observed += unequal / (given - 1);
        }
        var expected = (all * all - totals.Sum(total => total * total)) / (all - 1);
        return expected > 0 ? 1 - observed / expected : null;
    }

    static double Observed(int[][] counts, int[] chosen) => chosen.Average(item =>
    {
        double given = counts[item].Sum(), equal = counts[item].Sum(count => count * (count - 1.0));
        return equal / (given * (given - 1));
    });

    /// <summary>Fleiss 1971, where items may have been answered by different numbers of people.</summary>
    static double? FleissKappa(int[][] counts, int[] chosen)
    {
        if (chosen.Length == 0)
            return null;
        var totals = new double[counts[0].Length];
        foreach (var item in chosen)
            for (var value = 0; value < totals.Length; value++)
                totals[value] += counts[item][value];
        var all = totals.Sum();
        var chance = totals.Sum(total => total / all * (total / all));
        return chance < 1 - 1e-12 ? (Observed(counts, chosen) - chance) / (1 - chance) : null;
    }

    /// <summary>Cohen 1960: chance from each rater's own habits.</summary>
    static double? CohenKappa((int First, int Second)[] pairs, int values, int[] chosen)
    {
        if (chosen.Length == 0)
            return null;
        double[] first = new double[values], second = new double[values];
        double equal = 0;
        foreach (var item in chosen)
        {
            first[pairs[item].First] += 1.0 / chosen.Length;
            second[pairs[item].Second] += 1.0 / chosen.Length;
            equal += pairs[item].First == pairs[item].Second ? 1.0 / chosen.Length : 0;
        }
        double chance = 0;
        for (var value = 0; value < values; value++)
            chance += first[value] * second[value];
        return chance < 1 - 1e-12 ? (equal - chance) / (1 - chance) : null;
    }
}
