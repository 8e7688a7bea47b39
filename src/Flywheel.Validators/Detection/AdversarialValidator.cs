using Flywheel.Core.Metrics;
using Flywheel.Core.Statistics;
using Flywheel.Validators.Detection.Adversarial;

namespace Flywheel.Validators.Detection;

/// <summary>The layers in order, then the threshold: set, conformal, or shipped.</summary>
/// <param name="given">Ordinary texts of the settings; null to ask <paramref name="approved"/>.</param>
sealed class AdversarialValidator(
    string version, ValidatorContext context, AttackScoring scoring, double? threshold, double falseAlarms, IReadOnlyList<string>? given,
    RepeatedAttempts? attempts, IApprovedReferences? approved) : IValidator
{
    /// <summary>Scores from here on count as an attempt, though one alone passes.</summary>
    public const double Suspicious = 0.2;

    // Only inputs this far from an attack may be learned to be ordinary: a reference full of attacks cannot open the door.
    const double Ceiling = 0.97;

    readonly Lock _one = new();
    volatile Calibrated? _calibrated;

    sealed record Calibrated(string Version, ConformalCalibration Scores, double? Threshold);

    public string Version => _calibrated is { } now && now.Version.Length > 0 ? $"{version}-{now.Version}" : version;

    public async ValueTask<Decision> DecideAsync(Examinee examinee, CancellationToken ct)
    {
        var now = threshold is null ? await CalibratedAsync(ct) : null;
        return new(Check(examinee, now), now is { Version.Length: > 0 } ? $"{version}-{now.Version}" : version);
    }

    public async ValueTask<Finding> CheckAsync(Examinee examinee, CancellationToken ct) => (await DecideAsync(examinee, ct)).Finding;

    Finding Check(Examinee examinee, Calibrated? calibrated)
    {
        if (examinee.Text is not { } text)
            return TextValidator.NothingToCheck(context.Subject, examinee);
        var attack = scoring.Score(text);
        var score = attack.Score;
        var fails = score >= (threshold ?? 0.5);
        var how = "";
        if (calibrated?.Threshold is { } learned)
        {
            fails = score > Math.Min(learned, Ceiling);
            how = $"; p = {calibrated.Scores.PValue(score):0.####} on {calibrated.Scores.Count:N0} ordinary inputs";
        }
        var caller = examinee.Span?.Content is { } span ? span.EndUser ?? span.Session : null;
        // A stored span may be checked twice after a fault; what is not stored is known by its text.
        var what = examinee.Span is { } stored && stored.Id != default ? $"{stored.Content.Key.Trace}/{stored.Content.Key.Span}" : text;
        var before = score >= Suspicious && caller is not null ? attempts?.Count($"{context.Project}/{caller}", what) ?? 0 : 0;
        if (before > 0 && !fails && attempts!.IsTooMany(before))
            return Finding.Fail($"attempt {before} of this user or session within {attempts.Window.TotalMinutes:0} minutes, each "
                + $"suspicious{Because(attack)}", score);
        return fails ? Finding.Fail($"looks like an attack on the model (score {score:0.00}{how}){Because(attack)}", score) : Finding.Pass(
            score);
    }

    static string Because(AttackScore attack) =>
        attack.Reasons.Count == 0 ? ": by its wording, which resembles known attacks" : ": " + string.Join("; ", attack.Reasons.Take(3));

    async ValueTask<Calibrated?> CalibratedAsync(CancellationToken ct)
    {
        if (given is not null)
            return _calibrated ?? Calibrate("", given);
        if (approved is null || context.Project is not { } project
            || await approved.CurrentAsync(project, context.MetricName, context.Subject, ct) is not { } reference)
            return null;
        return _calibrated is { } now && now.Version == reference.Version ? now : Calibrate(reference.Version, reference.Texts);
    }

    Calibrated Calibrate(string of, IReadOnlyList<string> texts)
    {
        lock (_one)
        {
            if (_calibrated is { } now && now.Version == of)
                return now;
            var scores = new ConformalCalibration(texts.Select(text => scoring.Score(text).Score));
            return _calibrated = new(of, scores, scores.Threshold(falseAlarms));
        }
    }
}
