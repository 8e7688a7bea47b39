using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;

namespace Flywheel.Core.Judging;

/// <summary>Money set aside for one call of a judge's model.</summary>
/// <param name="Metric">Its name.</param>
/// <param name="ExpectedUsd">What the call should cost at most.</param>
/// <param name="At">Decides the UTC day whose budget it uses.</param>
public sealed record CallReservation(ProjectId Project, string Metric, double ExpectedUsd, DateTimeOffset At);

/// <summary>A judge's readable answer, kept so that the same question is paid for once.</summary>
/// <param name="Key">Hash of all that was asked: model, parameters, criterion, guidelines, examples, texts.</param>
/// <param name="Span">Whose text it quotes: with that span it goes; null when there was none.</param>
public sealed record KeptReply(string Key, SpanId? Span, Outcome Verdict, string Critique, double? Confidence, string? Model);

/// <summary>What the judges of one metric may use, and used, in a UTC day.</summary>
/// <param name="CallsPerDay">Null for no limit of the metric's own.</param>
public sealed record MetricBudget(int? CallsPerDay, double? UsdPerDay, long CallsUsed, double UsdUsed);

/// <summary>Pays for judges' calls out of the budgets of project and metric, and keeps what was bought.</summary>
/// <remarks>A process that dies between reservation and settlement leaves the expected cost booked: never less than was spent.</remarks>
public interface IJudgeCallStore
{
    Task<KeptReply?> FindAsync(ProjectId project, string key, CancellationToken ct);

    /// <summary>Books one call against both budgets, or against neither.</summary>
    /// <returns>Null when granted; otherwise the exhausted limit in words.</returns>
    Task<string?> ReserveAsync(CallReservation reservation, CancellationToken ct);

    /// <summary>Replaces the expected cost by the real one and keeps the reply, both or neither.</summary>
    /// <param name="reply">Null when there was none to keep.</param>
    Task SettleAsync(CallReservation reservation, double actualUsd, KeptReply? reply, DateTimeOffset at, CancellationToken ct);

    /// <summary>Sets a metric's limits, with an audit entry.</summary>
    Task SetBudgetAsync(
        ProjectId project, MetricId metric, int? callsPerDay, double? usdPerDay, string author, DateTimeOffset at, CancellationToken ct);

    Task<MetricBudget> BudgetAsync(ProjectId project, MetricId metric, DateTimeOffset now, CancellationToken ct);

    /// <summary>Drops each project's oldest replies beyond a number.</summary>
    /// <returns>How many went.</returns>
    Task<int> TrimAsync(int keep, CancellationToken ct);
}
