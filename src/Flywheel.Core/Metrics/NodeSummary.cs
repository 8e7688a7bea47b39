using Flywheel.Core.Statistics;

namespace Flywheel.Core.Metrics;

/// <param name="Verdicts">Counts of every outcome.</param>
public sealed record NodeSummary(string Node, IReadOnlyDictionary<Outcome, long> Verdicts, Interval ValidatorPassRate);
