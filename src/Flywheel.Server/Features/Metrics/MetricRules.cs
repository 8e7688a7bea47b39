using Flywheel.Core;
using Flywheel.Core.Metrics;
using Flywheel.Engine.Metrics;

namespace Flywheel.Server.Features.Metrics;

/// <summary>Refuses a metric that could not work, before it is stored.</summary>
sealed class MetricRules(ValidatorRegistry registry)
{
    /// <summary>The output, unless this kind can check inputs only.</summary>
    public MetricSubject DefaultSubject(string kind) =>
        registry.Find(kind)?.Subjects.Contains(MetricSubject.Output) == false ? MetricSubject.Input : MetricSubject.Output;

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
}
