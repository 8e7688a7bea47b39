using Flywheel.Core.Projects;
using Flywheel.Core.Traces;
using Flywheel.Engine.Metrics;

namespace Flywheel.Engine.Evaluation;

/// <summary>Says what a metric would have said of the newest spans, before it is stored.</summary>
public sealed class PreviewService(ISpanStore spans, MetricRules rules, MetricPreview preview)
{
    /// <param name="nodes">Names of nodes whose spans are looked at; null for those of the metric, or all.</param>
    public async Task<PreviewResult> PreviewAsync(
        Caller caller, MetricDefinition definition, IReadOnlyList<string>? nodes, PreviewBounds bounds, CancellationToken ct)
    {
        var metric = rules.Read(definition, "preview", caller.Actor);
        bounds.Check();
        var newest = await spans.NewestAsync(caller.Project, nodes ?? metric.Nodes, bounds.Last, ct);
        return await preview.OfAsync(caller.Project, metric, newest, bounds.AskModels, ct);
    }
}
