
namespace Flywheel.Engine.Review;

/// <summary>Evidence as it is shown, and as it is stored with a review.</summary>
/// <param name="Then">The newest texts at the last review; before the first one the metric's oldest.</param>
/// <param name="TextsDifferP">p-value; null with fewer than 20 texts of either time.</param>
/// <param name="Changes">In words; empty when nothing is seen to have changed.</param>
public sealed record MetricEvidenceView(
    EvidenceSample Then, EvidenceSample Now, int Labelled, IReadOnlyList<EvidenceSpanView> Contradicted, double? TextsDifferP,
    IReadOnlyList<string> Changes)
{
    public static MetricEvidenceView Of(MetricEvidence evidence) => new(
        evidence.Then, evidence.Now, evidence.Labelled, [.. evidence.Contradicted.Select(key => new EvidenceSpanView(key.Trace, key.Span))],
        evidence.TextsDifferP, evidence.Changes);
}
