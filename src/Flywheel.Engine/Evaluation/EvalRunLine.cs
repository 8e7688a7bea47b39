using Flywheel.Core.Evaluation;
using Flywheel.Core.Statistics;

namespace Flywheel.Engine.Evaluation;

/// <summary>A run in a list, with its pass rates.</summary>
/// <param name="State"><c>finished</c> or <c>unfinished</c>.</param>
public sealed record EvalRunLine(
    long Id, string State, string Data, EvalAbout About, long Rows, DateTimeOffset StartedAt,
    IReadOnlyDictionary<string, Interval> PassRates,
    GenerationTotals? Generation, double CostUsd);
