namespace Flywheel.Core.Statistics;

/// <summary>One person's answer on one item; answers are names, without an order.</summary>
public readonly record struct Rating(string Item, string Rater, string Value);

/// <summary>
/// A coefficient with its 95 % interval; null where every answer is the same, since then nothing tells agreement from chance.
/// </summary>
public readonly record struct Coefficient(double? Value, double? Low, double? High);

/// <summary>How far people agree with each other beyond chance: the ceiling for any judge.</summary>
/// <param name="Items">Items that at least two people answered; the others say nothing of agreement.</param>
/// <param name="Alpha">Krippendorff's nominal alpha.</param>
/// <param name="Kappa">Cohen's kappa for two raters, else Fleiss' kappa with items weighted alike.</param>
/// <param name="KappaName"><c>cohen</c> or <c>fleiss</c>.</param>
/// <param name="Agreement">Share of pairs of answers to one item that are equal, items weighted alike.</param>
/// <remarks>
/// Intervals are percentiles over 2,000 bootstrap draws of items; draws in which all answers are the same are left out. Items that were
/// answered alike are drawn together, above 20,000 items by binomial numbers, and 200 times only where over 10,000 kinds of items are left:
/// intervals are narrow by then.
/// </remarks>
public sealed record RaterAgreement(
    int Items, int Raters, int Ratings, int SingleItems, Coefficient Alpha, Coefficient Kappa, string KappaName, Coefficient Agreement)
{
    const int Bootstraps = 2_000;
    const int FewBootstraps = 200;
    const int ManyItems = 20_000;
    const int ManyKinds = 10_000;

    /// <summary>Items that were answered alike.</summary>
    /// <param name="Counts">Values given, with how often.</param>
    /// <param name="Pair">What each of two raters said; of more than two raters nothing.</param>
    sealed record Kind((int Value, int Count)[] Counts, (int First, int Second) Pair)
    {
        public int Given { get; } = Counts.Sum(each => each.Count);
    }

    public static RaterAgreement Of(IReadOnlyList<Rating> ratings, int seed = 1)
    {
        var codes = ratings.Select(rating => rating.Value).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)
            .Select((value, code) => (value, code)).ToDictionary(pair => pair.value, pair => pair.code, StringComparer.Ordinal);
        var raters = ratings.Select(rating => rating.Rater).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToArray();
        var cohen = raters.Length == 2;
        var groups = ratings.GroupBy(rating => rating.Item, StringComparer.Ordinal).OrderBy(group => group.Key, StringComparer.Ordinal)
            .ToArray();
        var kinds = new List<Kind>();
        var known = new Dictionary<string, int>(StringComparer.Ordinal);
        var kindOf = new List<int>();
        foreach (var group in groups)
        {
            Rating[] answers = [.. group];
            if (answers.Length < 2)
                continue;
            (int Value, int Count)[] counts =
                [.. answers.GroupBy(rating => codes[rating.Value]).Select(same => (same.Key, same.Count())).OrderBy(each => each.Key)];
            var pair = cohen
                ? (codes[answers.First(rating => rating.Rater == raters[0]).Value],
                    codes[answers.First(rating => rating.Rater == raters[1]).Value])
                : (0, 0);
            var key = $"{pair.Item1} {pair.Item2} {string.Join(' ', counts.Select(each => $"{each.Value}:{each.Count}"))}";
            if (!known.TryGetValue(key, out var kind))
            {
                known[key] = kind = kinds.Count;
                kinds.Add(new Kind(counts, pair));
            }
            kindOf.Add(kind);
        }

        var everything = new int[kinds.Count];
        foreach (var kind in kindOf)
            everything[kind]++;
        var (alpha, kappa, agreement) = (new List<double>(), new List<double>(), new List<double>());
        var random = new Random(seed);
        var drawn = new int[kinds.Count];
        var (values, draws) = (codes.Count, kinds.Count > ManyKinds && kindOf.Count > ManyItems ? FewBootstraps : Bootstraps);
        for (var draw = 0; draw < draws && kindOf.Count > 0; draw++)
        {
            Draw(drawn, everything, kindOf, random);
            Add(alpha, KrippendorffAlpha(kinds, drawn, values));
            Add(kappa, Kappa(drawn));
            Add(agreement, Observed(kinds, drawn));
        }
        return new RaterAgreement(
            kindOf.Count, raters.Length, ratings.Count, groups.Length - kindOf.Count,
            Spread(kindOf.Count == 0 ? null : KrippendorffAlpha(kinds, everything, values), alpha),
            Spread(kindOf.Count == 0 ? null : Kappa(everything), kappa), cohen ? "cohen" : "fleiss",
            Spread(kindOf.Count == 0 ? null : Observed(kinds, everything), agreement));

        double? Kappa(int[] times) => cohen ? CohenKappa(kinds, times, values) : FleissKappa(kinds, times, values);
    }

    static void Add(List<double> found, double? one)
    {
        if (one is { } number)
            found.Add(number);
    }

    static Coefficient Spread(double? value, List<double> drawn)
    {
        if (value is null)
            return new Coefficient(null, null, null);
        double[] found = [.. drawn.Order()];
        return new Coefficient(value, Estimate.Quantile(found, 0.025), Estimate.Quantile(found, 0.975));
    }

    /// <summary>As many items as there are, with replacement; how many of each kind.</summary>
    static void Draw(int[] drawn, int[] everything, List<int> kindOf, Random random)
    {
        Array.Clear(drawn);
        if (kindOf.Count <= ManyItems)
        {
            for (var i = 0; i < kindOf.Count; i++)
                drawn[kindOf[random.Next(kindOf.Count)]]++;
            return;
        }
        int left = kindOf.Count, among = kindOf.Count;
        for (var kind = 0; kind < drawn.Length && left > 0; kind++)
        {
            drawn[kind] = everything[kind] == among ? left : Binomial(left, (double)everything[kind] / among, random);
            left -= drawn[kind];
            among -= everything[kind];
        }
    }

    /// <summary>Counted out where few are expected, else rounded from the normal distribution.</summary>
    static int Binomial(int trials, double share, Random random)
    {
        if (share > 0.5)
            return trials - Binomial(trials, 1 - share, random);
        var mean = trials * share;
        if (mean > 30)
            return (int)Math.Clamp(
                Math.Round(mean + Math.Sqrt(mean * (1 - share)) * NormalDistribution.Quantile(Math.Max(1e-12, random.NextDouble()))), 0,
                trials);
        var count = 0;
        var chance = Math.Exp(trials * Math.Log(1 - share));
        for (var left = random.NextDouble() - chance; left > 0 && count < trials; left -= chance)
        {
            chance *= (double)(trials - count) / (count + 1) * share / (1 - share);
            count++;
        }
        return count;
    }

    /// <summary>1 - observed / expected disagreement, from how often each value was given to each item (Krippendorff 2011).</summary>
    static double? KrippendorffAlpha(List<Kind> kinds, int[] times, int values)
    {
        double all = 0, observed = 0;
        var totals = new double[values];
        for (var kind = 0; kind < times.Length; kind++)
        {
            if (times[kind] == 0)
                continue;
            double given = kinds[kind].Given, unequal = given * given;
            foreach (var (value, count) in kinds[kind].Counts)
            {
                totals[value] += (double)times[kind] * count;
                unequal -= (double)count * count;
            }
            all += times[kind] * given;
            observed += times[kind] * unequal / (given - 1);
        }
        var expected = (all * all - totals.Sum(total => total * total)) / (all - 1);
        return expected > 0 ? 1 - observed / expected : null;
    }

    static double Observed(List<Kind> kinds, int[] times)
    {
        double sum = 0, items = 0;
        for (var kind = 0; kind < times.Length; kind++)
        {
            if (times[kind] == 0)
                continue;
            double given = kinds[kind].Given, equal = 0;
            foreach (var (_, count) in kinds[kind].Counts)
                equal += count * (count - 1.0);
            sum += times[kind] * equal / (given * (given - 1));
            items += times[kind];
        }
        return sum / items;
    }

    /// <summary>Fleiss 1971, where items may have been answered by different numbers of people.</summary>
    static double? FleissKappa(List<Kind> kinds, int[] times, int values)
    {
        var totals = new double[values];
        for (var kind = 0; kind < times.Length; kind++)
            foreach (var (value, count) in kinds[kind].Counts)
                totals[value] += (double)times[kind] * count;
        var all = totals.Sum();
        var chance = totals.Sum(total => total / all * (total / all));
        return chance < 1 - 1e-12 ? (Observed(kinds, times) - chance) / (1 - chance) : null;
    }

    /// <summary>Cohen 1960: chance from each rater's own habits.</summary>
    static double? CohenKappa(List<Kind> kinds, int[] times, int values)
    {
        double[] first = new double[values], second = new double[values];
        double equal = 0, items = 0;
        for (var kind = 0; kind < times.Length; kind++)
        {
            var (one, other) = kinds[kind].Pair;
            first[one] += times[kind];
            second[other] += times[kind];
            equal += one == other ? times[kind] : 0;
            items += times[kind];
        }
        double chance = 0;
        for (var value = 0; value < values; value++)
            chance += first[value] / items * (second[value] / items);
        return chance < 1 - 1e-12 ? (equal / items - chance) / (1 - chance) : null;
    }
}
