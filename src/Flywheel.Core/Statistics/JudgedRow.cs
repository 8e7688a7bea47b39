namespace Flywheel.Core.Statistics;

/// <summary>One piece of traffic that a judge decided and perhaps a person too.</summary>
/// <param name="Judge">Null when the judge's answer could not be read.</param>
/// <param name="Human">Null when nobody labelled it.</param>
/// <param name="Propensity">Probability in (0, 1] with which the row was drawn for labelling; null when it was not drawn but picked, or
/// when no propensities were kept.</param>
/// <param name="Stratum">The slice of traffic it belongs to; null for one slice.</param>
/// <param name="Count">How many like it; a labelled row stands for itself alone.</param>
public readonly record struct JudgedRow(bool? Judge, bool? Human, double? Propensity = null, string? Stratum = null, long Count = 1);
