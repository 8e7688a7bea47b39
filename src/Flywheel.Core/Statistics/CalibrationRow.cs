namespace Flywheel.Core.Statistics;

/// <summary>A verdict with the judge's confidence in it, and what a person said.</summary>
/// <param name="Confidence">From 0 to 1, as the judge or its vote share gives it; not calibrated.</param>
/// <param name="Judge">The verdict.</param>
/// <param name="Human">Null when nobody labelled it.</param>
/// <param name="Features">Further numbers that may tell of errors, in the same order in every row.</param>
/// <param name="Weight">How many verdicts the labelled row stands for, above 0: 1 / the chance with which it was drawn. Only ratios
/// matter.</param>
public sealed record CalibrationRow(double Confidence, bool Judge, bool? Human, IReadOnlyList<double> Features, double Weight = 1)
{
    /// <summary>Whether the person agreed; null when nobody was asked.</summary>
    public bool? Agreed => Human is { } human ? human == Judge : null;
}
