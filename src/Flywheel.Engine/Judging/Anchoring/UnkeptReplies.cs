using Flywheel.Core.Judging;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;

namespace Flywheel.Engine.Judging.Anchoring;

/// <summary>Pays for calls as ever, but knows no reply and keeps none: what was said before is what is in question.</summary>
sealed class UnkeptReplies(IJudgeCallStore inner) : IJudgeCallStore
{
    public Task<KeptReply?> FindAsync(ProjectId project, string key, CancellationToken ct) => Task.FromResult<KeptReply?>(null);

    public Task<string?> ReserveAsync(CallReservation reservation, CancellationToken ct) => inner.ReserveAsync(reservation, ct);

    public Task SettleAsync(CallReservation reservation, double actualUsd, KeptReply? reply, DateTimeOffset at, CancellationToken ct) =>
        inner.SettleAsync(reservation, actualUsd, null, at, ct);

    public Task SetBudgetAsync(
        ProjectId project, MetricId metric, int? callsPerDay, double? usdPerDay, string author, DateTimeOffset at, CancellationToken ct) =>
        inner.SetBudgetAsync(project, metric, callsPerDay, usdPerDay, author, at, ct);

    public Task<MetricBudget> BudgetAsync(ProjectId project, MetricId metric, DateTimeOffset now, CancellationToken ct) =>
        inner.BudgetAsync(project, metric, now, ct);

    public Task<int> TrimAsync(int keep, CancellationToken ct) => inner.TrimAsync(keep, ct);
}
