using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;

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
/// <param name="About">JSON object of what made the outputs (model, prompt, demonstrations) and the run's name; null when they were in the
/// file.</param>
public sealed record NewEvalRun(
    string Data, string DataHash, string SetHash, IReadOnlyList<string> Metrics, string MetricsJson, string? About = null);

/// <param name="Resumed">Rows that an earlier process had finished; 0 for a run begun afresh.</param>
public sealed record EvalRun(ProjectId Project, long Id, NewEvalRun About, DateTimeOffset StartedAt, int Resumed);

/// <summary>How often one metric of a run had one outcome, and what that cost.</summary>
public sealed record EvalCount(int Metric, Outcome Outcome, long Count, double CostUsd);

/// <summary>A row that failed, with why.</summary>
public sealed record EvalFault(int Row, string Id, string? Excerpt, int Metric, Outcome Outcome, double? Score, string? Reason);

/// <summary>What a model answered for one row, kept as soon as it is there: it was paid for.</summary>
/// <param name="Output">Null when there was no answer, and then <paramref name="Error"/> says why.</param>
/// <param name="InputTokens">Null when the provider did not say; likewise <paramref name="OutputTokens"/>.</param>
/// <param name="Demonstrations">Ids of those in the prompt.</param>
public sealed record GeneratedOutput(
    int Row, string? Output, string? Error, int? InputTokens, int? OutputTokens, double CostUsd, double LatencyMs, string? Model,
    IReadOnlyList<Guid> Demonstrations);

/// <summary>What the outputs of a run cost.</summary>
public sealed record GenerationTotals(
    long Rows, long Errors, long InputTokens, long OutputTokens, double CostUsd, double? MedianMs, double? SlowMs);

/// <summary>A run in a list.</summary>
/// <param name="FinishedAt">Null while it runs, and when it was cut short.</param>
public sealed record EvalRunSummary(EvalRun Run, DateTimeOffset? FinishedAt, long Rows);

/// <summary>One row of a run with its outcome for each metric of the set, null where there is none.</summary>
public sealed record EvalOutcomes(int Row, string Id, string? Excerpt, string? Expected, string? Predicted, Outcome?[] Outcomes);
