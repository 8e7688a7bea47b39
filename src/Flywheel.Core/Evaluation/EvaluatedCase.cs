using Flywheel.Core.Metrics;

namespace Flywheel.Core.Evaluation;

/// <summary>What one row of a data set was given by every metric of the set.</summary>
/// <param name="Row">Line number in the file, from 1.</param>
/// <param name="Id">The row's own id, else its line number.</param>
/// <param name="Excerpt">The beginning of the output, for people; null when there is none.</param>
/// <param name="Expected">The right class; null when the row names none.</param>
/// <param name="Predicted">The output as a class; null when there is no output or nothing to compare it with.</param>
/// <param name="Findings">One a metric, in the set's order.</param>
public sealed record EvaluatedCase(
    int Row, string Id, string? Excerpt, string? Expected, string? Predicted, IReadOnlyList<Finding> Findings);

/// <summary>A run over one data set with one set of metrics.</summary>
/// <param name="DataHash">SHA-256 of the file, and with <paramref name="SetHash"/> what a run that was cut short is found by.</param>
/// <param name="SetHash">SHA-256 of the metrics, their validators' versions and the field mapping.</param>
/// <param name="Metrics">Names in the set's order.</param>
public sealed record NewEvalRun(string Data, string DataHash, string SetHash, IReadOnlyList<string> Metrics, string MetricsJson);

/// <param name="Resumed">Rows that an earlier process had finished; 0 for a run begun afresh.</param>
public sealed record EvalRun(long Id, NewEvalRun About, DateTimeOffset StartedAt, int Resumed);

/// <summary>How often one metric of a run had one outcome, and what that cost.</summary>
public sealed record EvalCount(int Metric, Outcome Outcome, long Count, double CostUsd);

/// <summary>A row that failed, with why.</summary>
public sealed record EvalFault(int Row, string Id, string? Excerpt, int Metric, Outcome Outcome, double? Score, string? Reason);
