using Flywheel.Core.Metrics;
using Flywheel.Core.Traces;

namespace Flywheel.Engine.Evaluation;

/// <summary>A metric of a set, ready to check rows.</summary>
public sealed record EvalMetric(NewMetric Metric, IValidatorKind Kind, IValidator Validator)
{
    /// <exception cref="ValidatorSettingsException">The metric cannot work.</exception>
    /// <param name="project">Whose labels teach judges; null for none.</param>
    public static EvalMetric Of(NewMetric metric, ValidatorRegistry registry, Core.Projects.ProjectId? project = null)
    {
        var kind = registry.Get(metric.Validator.Kind);
        return new(metric, kind, kind.Create(new(metric.Name, metric.Criterion, metric.Subject, project), metric.Validator.Settings));
    }

    /// <summary>Null when the metric is about this row. A row that does not name its node or kind is checked by every metric.</summary>
    internal string? WhyNot(EvalCase one)
    {
        if (one.Node is { } node && Metric.Nodes is { } nodes && !nodes.Contains(node))
            return $"not about node {node}";
        if (one.Kind is not { } own)
            return null;
        if (Metric.Kinds is { } kinds && !kinds.Contains(own))
            return $"not about {Wire.Name(own)} nodes";
        return Kind.NodeKinds.Contains(own) ? null : $"{Kind.Name} does not check {Wire.Name(own)} nodes";
    }
}

/// <summary>One row of a data set, read.</summary>
/// <param name="Row">Line number, from 1.</param>
/// <param name="Span">The row as a span; null when it cannot be read, and then <paramref name="Problem"/> says why.</param>
/// <param name="NoOutput">Why there is no output to check, when the row lacks the field; null when the field is there, be it null.</param>
/// <param name="Node">Null when the row names none.</param>
/// <param name="Kind">Null when the row names none.</param>
/// <param name="Expected">The right class; null when the row has none.</param>
/// <param name="Compares">True when the outputs are compared with right classes.</param>
public sealed record EvalCase(
    int Row, string Id, Span? Span, string? Problem = null, string? NoOutput = null, string? Node = null, NodeKind? Kind = null,
    string? Expected = null,
    bool Compares = false)
{
    /// <summary>The row's fields, for prompts; null when it cannot be read.</summary>
    public System.Text.Json.JsonElement? Fields { get; init; }

    /// <summary>Dollars that this process paid for its output.</summary>
    public double CostUsd { get; init; }
}
