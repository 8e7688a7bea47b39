namespace Flywheel.Core.Statistics;

/// <summary>
/// A confidence from which verdicts agree with people at least 1 - alpha of the time, with confidence 1 - delta: in the long run, and among
/// the next as many verdicts as were labelled above it, and half as many.
/// </summary>
/// <param name="Threshold">Accept a verdict whose confidence is at least this; null when the labels support no such promise.</param>
/// <param name="Accepted">Labelled verdicts at or above the threshold.</param>
/// <param name="Errors">Of these, the ones that people disagreed with.</param>
/// <param name="RiskBound">Upper bound of the long-run error rate above the threshold, at confidence 1 - delta; null without one.</param>
/// <param name="LabelsNeeded">0 with a threshold; without one about how many more labels it takes, or null when labels will hardly help:
/// no level of confidence agrees with people often enough.</param>
/// <remarks>
/// <para>Fixed-sequence test as in Trust or Escalate (arXiv 2407.18370) and Learn then Test (arXiv 2110.01052): the levels are fixed
/// beforehand and tried from strict to loose until one fails, so no correction for their number is due. A level is passed over, not
/// failed, when so few verdicts reach it that it could not pass with <see cref="Forgiven"/> error among them; that looks at confidences
/// only, never at labels.</para>
/// <para>A level passes when the exact upper bound of its error rate (Clopper and Pearson 1934) is at most alpha, and when the exact upper
/// prediction bounds for as many further verdicts and for half as many (Thatcher 1964: the split of all errors over labels and batch is
/// hypergeometric) are too. These are the stricter: people check a promise on a batch, whose errors vary as much as those of the labels
/// did, and a smaller one's more. With the first alone batches of recorded data broke it up to 19 % of the time at delta = 10 %
/// (docs/uncertainty.md).</para>
/// <para>The confidence must not have been fitted on these labels. Raw confidence never is; a calibrated one must come from a calibrator
/// fitted on other rows. The promise is about traffic that these rows are a random part of, on average over it, not slice by slice.</para>
/// </remarks>
public sealed record SelectiveThreshold(double? Threshold, int Accepted, int Errors, double? RiskBound, int? LabelsNeeded)
{
    /// <summary>Errors that the first level tried must be able to bear: one unlucky label should not end the search.</summary>
    public const int Forgiven = 1;

    const int FewestAccepted = 20;

    /// <summary>Where planning stops: nobody labels ten million verdicts.</summary>
    const int Most = 10_000_000;

    /// <summary>The levels, from strict to loose; 0 accepts every verdict.</summary>
    public static IReadOnlyList<double> Levels { get; } =
    [
        0.999, 0.995, 0.99, 0.98, 0.97, 0.95, 0.925, 0.90, 0.875, 0.85, 0.825, 0.80, 0.775, 0.75, 0.725, 0.70, 0.65, 0.60, 0.55, 0.50,
        0.40, 0.30, 0.20, 0.10, 0,
    ];

    /// <param name="points">Confidence and whether the person agreed.</param>
    /// <param name="alpha">Largest error rate above the threshold, between 0 and 1.</param>
    /// <param name="delta">Chance that the promise is broken, between 0 and 1.</param>
    /// <param name="weights">How many verdicts each point stands for, where labels were drawn with different chances; null counts them
    /// alike.
    /// Points then count at their effective number (Kish 1965), errors rounded up: no longer exact, and checked by simulation only.</param>
    public static SelectiveThreshold Of(
        IReadOnlyList<(double Confidence, bool Agreed)> points, double alpha, double delta, IReadOnlyList<double>? weights = null)
    {
        if (weights is not null && weights.Count != points.Count)
            throw new ArgumentException($"{weights.Count} weights for {points.Count} points.", nameof(weights));
        CheckShare(alpha, nameof(alpha));
        CheckShare(delta, nameof(delta));
        var fewest = FewestFor(alpha, delta);
        SelectiveThreshold? best = null;
        foreach (var level in Levels)
        {
            var (accepted, errors) = Count(points, weights, level);
            if (accepted < fewest)
                continue;
            if (!Passes(errors, accepted, alpha, delta))
                break;
            best = new SelectiveThreshold(level, accepted, errors, UpperBound(errors, accepted, delta), 0);
        }
        return best ?? new SelectiveThreshold(null, 0, 0, null, Needed(points, weights, fewest, alpha, delta));
    }

    /// <summary>Exact upper confidence bound of an error rate.</summary>
    public static double UpperBound(int errors, int trials, double delta) =>
        errors >= trials ? 1 : BetaDistribution.Quantile(errors + 1, trials - errors, 1 - delta);

    static (int Accepted, int Errors) Count(
        IReadOnlyList<(double Confidence, bool Agreed)> points, IReadOnlyList<double>? weights, double level)
    {
        int accepted = 0, errors = 0;
        double sum = 0, squares = 0, wrong = 0;
        for (var i = 0; i < points.Count; i++)
            if (points[i].Confidence >= level)
            {
                accepted++;
                errors += points[i].Agreed ? 0 : 1;
                var weight = weights?[i] ?? 1;
                sum += weight;
                squares += weight * weight;
                wrong += points[i].Agreed ? 0 : weight;
            }
        if (weights is null || accepted == 0)
            return (accepted, errors);
        var effective = Math.Min(accepted, sum * sum / squares);
        return ((int)(effective + 1e-6), (int)Math.Ceiling(effective * wrong / sum - 1e-6));
    }

    static bool Passes(int errors, int trials, double alpha, double delta) =>
        errors < trials && BetaDistribution.Cdf(errors + 1, trials - errors, alpha) >= 1 - delta
        && PromisedToBatch(errors, trials, trials, alpha, delta) && PromisedToBatch(errors, trials, trials / 2, alpha, delta);

    /// <summary>
    /// Whether a batch of so many further verdicts stays within alpha: more errors would have shown by now, at confidence 1 - delta.
    /// </summary>
    static bool PromisedToBatch(int errors, int trials, int batch, double alpha, double delta)
    {
        var broken = (int)Math.Floor(alpha * batch + 1e-9) + 1;
        var all = errors + broken;
        double chance = 0;
        for (var here = Math.Max(0, all - batch); here <= errors; here++)
            chance += Math.Exp(LogChoose(trials, here) + LogChoose(batch, all - here) - LogChoose(trials + batch, all));
        return chance <= delta;
    }

    static double LogChoose(int n, int k) =>
        BetaDistribution.LogGamma(n + 1.0) - BetaDistribution.LogGamma(k + 1.0) - BetaDistribution.LogGamma(n - k + 1.0);

    /// <summary>The fewest verdicts that pass with <see cref="Forgiven"/> error among them.</summary>
    static int FewestFor(double alpha, double delta)
    {
        var fewest = FewestAccepted;
        while (fewest < Most && !Passes(Forgiven, fewest, alpha, delta))
            fewest = Math.Max(fewest + 1, fewest + fewest / 200);
        return fewest;
    }

    /// <summary>About how many more labels until the easiest level passes, if its error rate stays as it looks now.</summary>
    static int? Needed(IReadOnlyList<(double Confidence, bool Agreed)> points, IReadOnlyList<double>? weights, int fewestAccepted,
        double alpha, double delta)
    {
        var counted = Count(points, weights, double.NegativeInfinity).Accepted;
        int? fewest = null;
        foreach (var level in Levels)
        {
            var (accepted, errors) = Count(points, weights, level);
            if (accepted == 0 && level > 0)
                continue;
            // Hopeless: even the lower bound of the error rate is above what is allowed.
            if (errors > 0 && BetaDistribution.Quantile(errors, accepted - errors + 1, delta) >= alpha)
                continue;
            // A rate that looks too high but may yet be lower is planned with what would leave room: half of alpha, or, where that is ruled
            // out already, three quarters.
            var likely = errors > 0
                && BetaDistribution.Quantile(errors, accepted - errors + 1, delta) >= alpha / 2 ? 0.75 * alpha : alpha / 2;
            var rate = Math.Min((errors + 0.5) / (accepted + 1), likely);
            var share = counted == 0 ? 1 : Math.Min(1, (double)accepted / counted);
            var total = (int)Math.Min(int.MaxValue / 2, Math.Ceiling(AcceptedNeeded(rate, fewestAccepted, alpha, delta) / share));
            // Labels to come count for as much as those so far.
            var more = Math.Max(1,
                (int)Math.Min(int.MaxValue / 2, (total - counted) * (counted == 0 ? 1.0 : (double)points.Count / counted)));
            fewest = fewest is { } found ? Math.Min(found, more) : more;
        }
        return fewest;
    }

    /// <summary>The fewest accepted verdicts that pass when their errors come at this rate.</summary>
    static double AcceptedNeeded(double rate, int fewest, double alpha, double delta)
    {
        int low = fewest, high = fewest;
        while (high < Most && !Passes((int)Math.Ceiling(rate * high), high, alpha, delta))
            (low, high) = (high, high * 2);
        while (high - low > 1 + low / 100)
        {
            var middle = low + (high - low) / 2;
            if (Passes((int)Math.Ceiling(rate * middle), middle, alpha, delta))
                high = middle;
            else
                low = middle;
        }
        return high;
    }

    static void CheckShare(double value, string name)
    {
        if (!(value is > 0 and < 1))
            throw new ArgumentOutOfRangeException(name, value, $"`{name}` must be between 0 and 1, such as 0.1.");
    }
}
