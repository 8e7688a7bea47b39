using Flywheel.Core.Judging;

namespace Flywheel.Server.Features.Judging;

/// <param name="CallsPerDay">Model calls of the metric's judges in a UTC day; null means no limit of its own.</param>
/// <param name="UsdPerDay">US dollars in a UTC day; null means no limit of its own.</param>
public sealed record BudgetBody(int? CallsPerDay, double? UsdPerDay, string? Author = null);

public sealed record BudgetView(int? CallsPerDay, double? UsdPerDay, long CallsUsed, double UsdUsed)
{
    public static BudgetView Of(MetricBudget it) => new(it.CallsPerDay, it.UsdPerDay, it.CallsUsed, it.UsdUsed);
}
