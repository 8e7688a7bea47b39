using System.Text.Json;
using Flywheel.Core;
using Flywheel.Core.Labeling;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Engine.Proposals;

namespace Flywheel.Engine.Metrics;

/// <summary>Metrics that agents propose; a person activates them.</summary>
public sealed class ProposedMetricService(IMetricStore metrics, MetricRules rules, TimeProvider clock)
{
    /// <summary>Proposals of one agent that nobody has decided about.</summary>
    const int MostProposed = 100;

    /// <returns>Stored, or repeated if the agent proposed the same before.</returns>
    /// <exception cref="RequestException">
    /// <c>scope_missing</c>, <c>metric_exists</c>, <c>too_many_open</c>, or the definition could not work.
    /// </exception>
    public async Task<InsertResult> ProposeAsync(Caller caller, MetricDefinition definition, CancellationToken ct)
    {
        var author = AgentAuthor.Of(caller);
        var metric = rules.Read(definition with { State = Wire.Name(MetricState.Proposed) }, null, author);
        var known = await metrics.ListAsync(caller.Project, ct);
        if (known.FirstOrDefault(each => each.Name == metric.Name) is { } taken)
            return IsSame(taken, metric) ? InsertResult.Repeated : throw Taken(metric.Name);
        if (known.Count(each => each.State == MetricState.Proposed && each.Author == author) >= MostProposed)
            throw new RequestException(
                RequestErrorKind.RateLimited, "too_many_open",
                $"You have {MostProposed} proposed metrics that nobody has decided about: wait until people have.");
        return await metrics.AddAsync(caller.Project, metric, expectNew: true, clock.GetUtcNow(), ct) is null
            ? throw Taken(metric.Name)
            : InsertResult.Stored;
    }

    static bool IsSame(Metric taken, NewMetric metric) => taken is { State: MetricState.Proposed, Number: 1 }
        && taken.Author == metric.Author && taken.Criterion == metric.Criterion && taken.Validator.Kind == metric.Validator.Kind
        && JsonElement.DeepEquals(taken.Validator.Settings, metric.Validator.Settings);

    static RequestException Taken(string name) => new(
        RequestErrorKind.Conflict, "metric_exists",
        $"There is a metric `{name}` already: propose under another name, and say in the criterion what it does better.", "name");
}
