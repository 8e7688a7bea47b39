using Flywheel.Core.Evaluation;
using Flywheel.Core.Statistics;

namespace Flywheel.Engine.Evaluation;

/// <param name="Rows">Rows with outcomes, those of earlier processes included.</param>
/// <param name="Resumed">Rows that an earlier process had finished.</param>
/// <param name="Results">The database that has them.</param>
/// <param name="About">What made the outputs.</param>
public sealed record EvalRunView(
    long Id, string Data, long Rows, long Resumed, string Results, DateTimeOffset StartedAt, double Seconds, EvalAbout About);

/// <param name="PassRate">Passes of passes and fails; unsure, skipped and error are in no rate.</param>
public sealed record EvalMetricView(
    string Name, string Criterion, string ValidatorVersion, IReadOnlyDictionary<string, long> Outcomes, Interval PassRate, double CostUsd);

public sealed record EvalFaultView(string Metric, string Outcome, double? Score, string? Reason);

public sealed record EvalRowView(int Row, string Id, string? Output, IReadOnlyList<EvalFaultView> Faults);

/// <param name="Value">Null when nothing was decided, and then the threshold is not met.</param>
public sealed record ThresholdView(string Name, double Minimum, double? Value, bool Met);

/// <param name="Incomparable">Rows without an output or a right class, which the scores leave out.</param>
public sealed record EvalClassification(long Incomparable, Classification Scores);

/// <summary>What an evaluation found, for people and programs.</summary>
/// <param name="Generation">Null when the outputs were in the file.</param>
/// <param name="Passed">Every threshold is met.</param>
public sealed record EvalReport(
    bool Passed, EvalRunView Run, IReadOnlyList<EvalMetricView> Metrics, EvalClassification? Classification,
    IReadOnlyList<ThresholdView> Thresholds, IReadOnlyList<EvalRowView> Worst, GenerationTotals? Generation)
{
    public const string Accuracy = "accuracy";
    public const string MacroF1 = "macro_f1";
}
