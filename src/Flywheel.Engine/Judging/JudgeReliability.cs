using System.Globalization;
using Flywheel.Core.Judging;
using Flywheel.Core.Statistics;

namespace Flywheel.Engine.Judging;

/// <summary>What the confidence of a metric's judge is worth, and what is promised.</summary>
/// <param name="Newest">Counts of the newest verdicts of this metric version, up to <see cref="MostVerdicts"/>.</param>
public sealed record JudgeReliability(JudgeStanding Standing, StandingCounts Newest)
{
    public const int MostVerdicts = 1_000;

    /// <summary>Of the first judge, which decides most.</summary>
    public Guarantee Promise
    {
        get
        {
            var (alpha, delta) = (Standing.Guarantee.Alpha, Standing.Guarantee.Delta);
            return new(
                First?.Threshold is not null && Withdrawn is null, alpha, delta, Withdrawn is null ? First?.Threshold : null,
                First?.Labels ?? 0, First is null ? SelectiveThreshold.Of([], alpha, delta).LabelsNeeded : First.LabelsNeeded, Withdrawn);
        }
    }

    /// <summary>Why the guarantee is withdrawn; null if it is not.</summary>
    public string? Withdrawn =>
        Standing.OpenAlarms.Count > 0 ? $"withdrawn by an open alarm: {Standing.OpenAlarms[0].Detail}" : null;

    /// <summary>In words: what holds now, and what it takes.</summary>
    public string Note => string.Join(' ', Notes());

    CalibratedJudge? First => Standing.Calibration?.Judges is [var first, ..] ? first : null;

    IEnumerable<string> Notes()
    {
        var guarantee = Standing.Guarantee;
        var promise = string.Create(CultureInfo.InvariantCulture,
            $"agree with people at least {1 - guarantee.Alpha:0.#%} of the time, with confidence {1 - guarantee.Delta:0.#%}");
        if (Standing.OpenAlarms.Count > 0)
            yield return "The guarantee is withdrawn while an alarm is open: nothing is passed on or withheld because of it.";
        else if (First?.Threshold is { } line)
            yield return line > 0
                ? string.Create(CultureInfo.InvariantCulture, $"Verdicts above the line ({line:0.###}) {promise}.")
                : $"Verdicts {promise}, whatever their confidence.";
        else if (First is { IsHopeless: true })
            yield return $"No level of confidence is found from which verdicts {promise}, and more labels will hardly help: "
                + "allow a larger alpha, or use a better judge. "
                + (guarantee.Below == BelowLine.Escalate && Standing.Calibration!.Judges.Count > 1
                    ? "Everything is passed on to the next judge." : "Nothing is withheld.");
        else
            yield return $"Not enough labels for the guarantee: {First?.Labels ?? 0} blind labels, about {Promise.LabelsNeeded} more. "
                + "Until then every verdict stands and nothing is withheld.";
        if ((First?.Labels ?? 0) < JudgeCalibration.LeastLabels)
            yield return $"Confidences are calibrated from {JudgeCalibration.LeastLabels} labels on: "
                + $"{JudgeCalibration.LeastLabels - (First?.Labels ?? 0)} more.";
        if (First is { Labels: > 0, Drawn: false })
            yield return "The labels were given unasked, and are taken for a random part of what was judged: "
                + "items drawn by chance (`audit_rate`) need no such belief.";
    }
}
