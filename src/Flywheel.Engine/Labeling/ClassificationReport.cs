using Flywheel.Core.Labeling;
using Flywheel.Core.Statistics;

namespace Flywheel.Engine.Labeling;

/// <param name="Spans">All spans of the node in the time; <c>Scores.Cases</c> of them have a known right class.</param>
/// <param name="Note">What the numbers cannot say; null if there is nothing to add.</param>
public sealed record ClassificationReport(string Node, long Spans, ClassSources Sources, Classification Scores, string? Note);
