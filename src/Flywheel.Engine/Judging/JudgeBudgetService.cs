using Flywheel.Core;
using Flywheel.Core.Judging;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;

namespace Flywheel.Engine.Judging;

/// <summary>Limits what the judges of a metric may use in a UTC day.</summary>
public sealed class JudgeBudgetService(IMetricStore metrics, IJudgeCallStore calls, TimeProvider clock)
{
    public async Task<MetricBudget> GetAsync(Caller caller, string name, CancellationToken ct)
    {
        var metric = await metrics.GetAsync(caller.Project, name, ct);
        return await calls.BudgetAsync(caller.Project, metric.Id, clock.GetUtcNow(), ct);
    }

    /// <param name="callsPerDay">Null for no limit of its own.</param>
    /// <param name="usdPerDay">Null for no limit of its own.</param>
    public async Task<MetricBudget> SetAsync(Caller caller, string name, int? callsPerDay, double? usdPerDay, CancellationToken ct)
    {
        if (callsPerDay < 0)
            throw RequestException.BadField("calls_per_day", "`calls_per_day` must be 0 or more, or null for no limit.");
        if (usdPerDay is { } usd && !(double.IsFinite(usd) && usd >= 0))
            throw RequestException.BadField("usd_per_day", "`usd_per_day` must be 0 or more, or null for no limit.");
        var metric = await metrics.GetAsync(caller.Project, name, ct);
        await calls.SetBudgetAsync(caller.Project, metric.Id, callsPerDay, usdPerDay, caller.Actor, clock.GetUtcNow(), ct);
        return await calls.BudgetAsync(caller.Project, metric.Id, clock.GetUtcNow(), ct);
    }
}
