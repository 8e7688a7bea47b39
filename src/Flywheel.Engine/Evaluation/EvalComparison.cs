using Flywheel.Core.Evaluation;
using Flywheel.Core.Statistics;

namespace Flywheel.Engine.Evaluation;

/// <param name="Database">The database that has it.</param>
public sealed record ComparedRun(
    long Id, string Database, string Data, EvalAbout About, bool Finished, long Rows, GenerationTotals? Generation, double CostUsd);

/// <param name="Difference">Against the first run, over rows that both decided; null for the first run itself.</param>
public sealed record ComparedRate(Interval PassRate, PairedDifference? Difference);

/// <param name="Note">What makes the comparison doubtful; null when nothing does.</param>
public sealed record ComparedMetric(string Name, IReadOnlyList<ComparedRate?> Runs, string? Note);

/// <param name="Run">Place in the list of runs, from 1, of the run that differs from the first.</param>
/// <param name="From">What the first run's output was given; <paramref name="First"/> and <paramref name="Other"/> are the outputs'
/// beginnings.</param>
public sealed record FlippedRow(string Metric, int Run, int Row, string Id, string From, string To, string? First, string? Other);

/// <param name="Pairing"><c>row</c>: the same data; <c>id</c>: rows are matched by their ids.</param>
public sealed record EvalComparison(
    IReadOnlyList<ComparedRun> Runs, string Pairing, IReadOnlyList<ComparedMetric> Metrics, IReadOnlyList<FlippedRow> Flips);
