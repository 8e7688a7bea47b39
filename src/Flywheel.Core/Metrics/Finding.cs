
namespace Flywheel.Core.Metrics;

/// <summary>What a validator says of one subject.</summary>
/// <param name="Score">The measured quantity in the validator's own unit (characters, distance …); null when it has none.</param>
/// <param name="Confidence">Probability in [0, 1] that a person would agree; null until calibrated.</param>
/// <param name="Reason">In words, for people: what was found, why it was skipped, or how it failed.</param>
/// <param name="CostUsd">US dollars of model calls; 0 for code.</param>
/// <param name="Demonstrations">Ids of the labelled cases that a judge was shown.</param>
/// <param name="Spans">
/// Where in the text it was found; null when the validator does not say. In a stored verdict they are positions in the stored
/// text: of a redacted one, the placeholders.
/// </param>
public sealed record Finding(
    Outcome Outcome, double? Score, string? Reason, double? Confidence = null, double CostUsd = 0,
    string? Model = null, IReadOnlyList<Guid>? Demonstrations = null, IReadOnlyList<FoundSpan>? Spans = null)
{
    /// <summary>In [0, 1] as a judge's vote or its own word gave it, not calibrated; null when it gave none.</summary>
    public double? RawConfidence { get; init; }

    /// <summary>
    /// Whether it stands above the line from which the judge's verdicts are promised to agree with people; null while there is no line.
    /// </summary>
    public bool? Stands { get; init; }

    /// <summary>What the judges said that led to it; null for what is no judge.</summary>
    public JudgeTrail? Trail { get; init; }

    public static Finding Pass(double? score = null, string? reason = null) => new(Outcome.Pass, score, reason);
    public static Finding Fail(string reason, double? score = null) => new(Outcome.Fail, score, reason);
    public static Finding Unsure(string reason, double? score = null) => new(Outcome.Unsure, score, reason);
    public static Finding Skipped(string reason) => new(Outcome.Skipped, null, reason);
    public static Finding Error(string reason) => new(Outcome.Error, null, reason);
}
