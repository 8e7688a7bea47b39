using Flywheel.Core;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;

namespace Flywheel.Engine.Metrics;

/// <summary>Proposes texts of past spans as what is ordinary for a metric, and decides about proposals.</summary>
public sealed class ReferenceService(
    IMetricStore metrics, IReferenceStore references, ISpanStore spans, ValidatorRegistry registry, TimeProvider clock)
{
    const int UsualLimit = 2_000, MostTexts = 20_000, SampleSize = 20;

    /// <summary>Proposes the newest texts.</summary>
    /// <param name="node">Only spans of this node; null for all.</param>
    /// <param name="limit">Number of texts at most, 1 to 20,000; null means 2,000.</param>
    public async Task<ProposedReference> ProposeAsync(Caller caller, string name, string? node, int? limit, CancellationToken ct)
    {
        var metric = await metrics.GetAsync(caller.Project, name, ct);
        var needed = Needed(metric);
        var most = limit ?? UsualLimit;
        if (most is < 1 or > MostTexts)
            throw RequestException.BadField("limit", $"`limit` is {most}: give a number from 1 to {MostTexts}.");
        var found = await references.CandidatesAsync(caller.Project, metric.Id, node, metric.Subject, most, ct);
        if (found.Count < needed)
            throw new RequestException(RequestErrorKind.Conflict, "too_few_inputs",
                $"There are {found.Count} different texts to propose and `{name}` needs at least {needed}: wait for more traffic, "
                + "name another `node`, raise `limit` or the metric's `false_alarms`.", "limit");
        var reference = await references.ProposeAsync(caller.Project, metric.Id, node, found, caller.Actor, clock.GetUtcNow(), ct);
        return new(reference, await SampleAsync(metric, found, ct));
    }

    /// <summary>Proposed and decided references, newest first.</summary>
    public async Task<IReadOnlyList<Reference>> ListAsync(Caller caller, string name, CancellationToken ct)
    {
        var metric = await metrics.GetAsync(caller.Project, name, ct);
        return await references.ListAsync(caller.Project, metric.Id, ct);
    }

    /// <summary>Puts a proposed reference in force, or declines it.</summary>
    public async Task<Reference> DecideAsync(Caller caller, string name, int number, bool approve, CancellationToken ct)
    {
        var metric = await metrics.GetAsync(caller.Project, name, ct);
        return await references.DecideAsync(caller.Project, metric.Id, number, approve, caller.Actor, clock.GetUtcNow(), ct)
            ?? throw RequestException.NotFound("reference",
                $"`{name}` has no proposed reference {number}: GET /api/v1/metrics/{name}/reference lists them.", "number");
    }

    /// <summary>The fewest texts of a reference.</summary>
    /// <exception cref="RequestException">The metric's kind takes no reference.</exception>
    int Needed(Metric metric) =>
        (registry.Find(metric.Validator.Kind) as ILearningKind)?.ReferenceNeeded(metric.Validator.Settings)
        ?? throw new RequestException(RequestErrorKind.Invalid, "invalid_metric",
            $"`{metric.Name}` is a `{metric.Validator.Kind}` metric, which compares with no reference: only "
            + $"{string.Join(", ", registry.Kinds.OfType<ILearningKind>().Select(kind => kind.ReferenceTerms))} do.", "name");

    async Task<IReadOnlyList<string>> SampleAsync(Metric metric, IReadOnlyList<SpanId> found, CancellationToken ct)
    {
        var every = Math.Max(1, found.Count / SampleSize);
        var sample = await spans.GetAsync(metric.Project, [.. found.Where((_, i) => i % every == 0).Take(SampleSize)], ct);
        return [.. sample.Select(span => (metric.Subject == MetricSubject.Output ? span.Content.Output : span.Content.Input) ?? "")];
    }
}
