using Flywheel.Core;
using Flywheel.Core.Metrics;
using Flywheel.Core.Traces;

namespace Flywheel.Engine.Metrics;

/// <summary>Reads a metric as a caller words it, and refuses one that could not work before it is stored.</summary>
public sealed class MetricRules(ValidatorRegistry registry)
{
    /// <param name="name">Used if the definition has no name.</param>
    /// <param name="author">Used if the definition names no author.</param>
    /// <exception cref="RequestException">A value cannot be used.</exception>
    public NewMetric Read(MetricDefinition definition, string? name, string author)
    {
        var validator = ValidatorJson.Read(definition.Validator);
        var metric = new NewMetric(
            definition.Name ?? name
                ?? throw RequestException.BadField("name", "`name` is missing: name the metric, such as `answer.short`."),
            definition.Criterion,
            Wire.Choice<MetricSubject>("subject", definition.Subject) ?? DefaultSubject(validator.Kind),
            definition.Nodes,
            definition.Kinds?.Select(kind => Wire.Choice<NodeKind>("kinds", kind)!.Value).ToArray(),
            definition.Sampling ?? 1,
            validator,
            definition.Author ?? author,
            Wire.Choice<MetricRole>("role", definition.Role) ?? MetricRole.Monitor,
            Wire.Choice<MetricState>("state", definition.State) ?? MetricState.Active,
            Wire.Choice<GuardAction>("on_fail", definition.OnFail),
            Wire.Choice<GuardFault>("on_error", definition.OnError),
            definition.Segments,
            definition.LabelsPerItem ?? 1);
        Check(metric);
        return metric;
    }

    /// <exception cref="RequestException">The metric could not work: code <c>invalid_metric</c>, with all problems in its
    /// details.</exception>
    public void Check(NewMetric metric)
    {
        var problems = MetricCheck.Problems(metric, registry);
        if (problems.Count == 0)
            return;
        var (field, message) = (problems[0].Field, problems[0].Message);
        throw new RequestException(RequestErrorKind.Invalid, "invalid_metric", message, field)
        {
            Details = new Dictionary<string, object?> { ["problems"] = problems },
        };
    }

    /// <summary>The output, unless this kind can check inputs only.</summary>
    MetricSubject DefaultSubject(string kind) =>
        registry.Find(kind)?.Subjects.Contains(MetricSubject.Output) == false ? MetricSubject.Input : MetricSubject.Output;
}
