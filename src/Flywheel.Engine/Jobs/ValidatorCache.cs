using System.Collections.Concurrent;
using Flywheel.Core.Jobs;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;

namespace Flywheel.Engine.Jobs;

/// <summary>The validators of metric versions, made once each, and what becomes of a span and a metric at fan-out.</summary>
/// <remarks>A version's definition never changes, so its validator stays; what does change (a judge's examples) the validator asks for
/// itself.</remarks>
sealed class ValidatorCache(ValidatorRegistry registry)
{
    readonly ConcurrentDictionary<(ProjectId, MetricVersionId), IValidator> _validators = new();

    /// <exception cref="ValidatorSettingsException">The kind is not installed here, or its settings do not work here.</exception>
    public IValidator Get(Metric metric) => _validators.GetOrAdd((metric.Project, metric.VersionId), static (_, made) =>
        made.registry.Create(
            made.metric.Validator, new(made.metric.Name, made.metric.Criterion, made.metric.Subject, made.metric.Project, made.metric)),
        (registry, metric));

    public bool CallsModel(Metric metric) => registry.Find(metric.Validator.Kind)?.CallsModel ?? false;

    /// <summary>Null when the kind can check nodes of this kind, or is unknown.</summary>
    public string? WhyNot(Metric metric, NodeKind kind) =>
        registry.Find(metric.Validator.Kind) is { } validator && !validator.NodeKinds.Contains(kind)
            ? $"{validator.Name} does not check {Wire.Name(kind)} nodes"
            : null;

    /// <summary>The version that would decide now; <c>KIND-unusable</c> when the validator cannot be made here.</summary>
    public string VersionOf(Metric metric)
    {
        try
        {
            return Get(metric).Version;
        }
        catch (ValidatorSettingsException)
        {
            return $"{metric.Validator.Kind}-unusable";
        }
    }

    /// <summary>One entry a metric that is active; a validator that cannot be made is queued too, and its job ends as an error.</summary>
    public IReadOnlyList<Pairing> Pair(PendingSpan span, IReadOnlyList<Metric> metrics) =>
    [
        .. metrics.Where(metric => metric.State == MetricState.Active).Select(metric => new Pairing(
            metric,
            CallsModel(metric) ? JobLane.Judge : JobLane.Code,
            VersionOf(metric),
            Applicability.WhyNot(metric, span.Node, span.Kind, span.Key) ?? Segments.WhyNot(metric, span.Segments)
                ?? WhyNot(metric, span.Kind))),
    ];
}
