using Flywheel.Core;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Engine.Judging;

namespace Flywheel.Engine.Metrics;

/// <summary>Creates, changes, retires and reads metrics.</summary>
public sealed class MetricService(IMetricStore metrics, MetricRules rules, CalibrationService calibrations, TimeProvider clock)
{
    /// <exception cref="RequestException">The definition could not work, or the name is taken: code <c>metric_exists</c>.</exception>
    public async Task<Metric> CreateAsync(Caller caller, MetricDefinition definition, CancellationToken ct)
    {
        var metric = rules.Read(definition, null, caller.Actor);
        return await metrics.AddAsync(caller.Project, metric, expectNew: true, clock.GetUtcNow(), ct)
            ?? throw new RequestException(RequestErrorKind.Conflict, "metric_exists",
                $"There is a metric `{metric.Name}` already: post to /api/v1/metrics/{metric.Name}/versions to change it.", "name");
    }

    /// <summary>Puts a new version of a metric in force.</summary>
    public async Task<Metric> AddVersionAsync(Caller caller, string name, MetricDefinition definition, CancellationToken ct)
    {
        await metrics.GetAsync(caller.Project, name, ct);
        if (definition.Name is { } other && other != name)
            throw RequestException.BadField("name", $"`name` is `{other}` while the path says `{name}`: a metric keeps its name.");
        var metric = rules.Read(definition, name, caller.Actor);
        return (await metrics.AddAsync(caller.Project, metric, expectNew: false, clock.GetUtcNow(), ct))!;
    }

    /// <summary>Activates or retires a metric.</summary>
    /// <param name="state"><c>active</c>, <c>proposed</c> or <c>retired</c>.</param>
    public async Task<Metric> SetStateAsync(Caller caller, string name, string state, CancellationToken ct)
    {
        var wanted = Wire.Choice<MetricState>("state", state)!.Value;
        if (!await metrics.SetStateAsync(caller.Project, name, wanted, caller.Actor, clock.GetUtcNow(), ct))
            throw MetricLookup.Unknown(name);
        return await GetAsync(caller, name, ct);
    }

    /// <summary>Current versions by name.</summary>
    /// <param name="state">Only metrics in this state; null for all.</param>
    public async Task<IReadOnlyList<Metric>> ListAsync(Caller caller, string? state, CancellationToken ct)
    {
        var only = Wire.Choice<MetricState>("state", state);
        var all = await metrics.ListAsync(caller.Project, ct);
        return only is null ? all : [.. all.Where(metric => metric.State == only)];
    }

    /// <summary>The current version.</summary>
    public Task<Metric> GetAsync(Caller caller, string name, CancellationToken ct) => metrics.GetAsync(caller.Project, name, ct);

    /// <summary>All versions, newest first.</summary>
    public async Task<IReadOnlyList<Metric>> VersionsAsync(Caller caller, string name, CancellationToken ct)
    {
        await metrics.GetAsync(caller.Project, name, ct);
        return await metrics.VersionsAsync(caller.Project, name, ct);
    }

    /// <summary>Rates with their intervals and what is behind them, and what the confidence of the metric's judge is worth.</summary>
    public async Task<MetricReading> ReadAsync(Caller caller, string name, SummaryCut cut, CancellationToken ct)
    {
        var slicing = SummarySlicing.Parse(cut);
        var metric = await metrics.GetAsync(caller.Project, name, ct);
        var versions = await metrics.VersionsAsync(caller.Project, name, ct);
        var cells = await metrics.CellsAsync(caller.Project, metric.Id, ct);
        return new(MetricSummary.Of(metric, versions, cells, slicing), await calibrations.FindAsync(metric, ct));
    }
}
