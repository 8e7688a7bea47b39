using System.Text.Json;
using Flywheel.Engine.Evaluation;
using Flywheel.Engine.Packs;
using Flywheel.Server.Features.Metrics;

namespace Flywheel.Server.Features.Packs;

/// <param name="Last">Newest spans to look at, 1 to 2,000.</param>
/// <param name="AskModels">Model calls that this preview may make, 0 to 50; 0 only estimates their cost.</param>
public sealed record PackPreviewBody(
    int Last = PreviewBounds.UsualSpans, IReadOnlyList<string>? Nodes = null,
    IReadOnlyDictionary<string, IReadOnlyDictionary<string, JsonElement>>? Settings = null, int AskModels = 0);

/// <param name="NotPreviewed">Metrics that need settings, with what they need.</param>
public sealed record PackPreviewView(
    string Pack, int Spans, double EstimatedUsd, IReadOnlyList<PreviewView> Metrics, IReadOnlyList<ActivatedMetricView> NotPreviewed)
{
    public static PackPreviewView Of(PackPreview it) => new(
        it.Pack.Name, it.Spans, it.EstimatedUsd, [.. it.Metrics.Select(PreviewView.Of)],
        [.. it.NotPreviewed.Select(ActivatedMetricView.Of)]);
}
