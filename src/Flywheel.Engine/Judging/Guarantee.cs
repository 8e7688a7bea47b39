namespace Flywheel.Engine.Judging;

/// <param name="Threshold">Verdicts of the first judge that are at least as confident agree with people at least 1 - alpha of the time,
/// with confidence 1 - delta (shared by the judges of a cascade).</param>
/// <param name="LabelsNeeded">About how many more; null when more will hardly help, 0 with a threshold.</param>
/// <param name="Withdrawn">Why there is none although the labels would support one: an open alarm; null otherwise.</param>
public sealed record Guarantee(
    bool Holds, double Alpha, double Delta, double? Threshold, long Labels, int? LabelsNeeded, string? Withdrawn);
