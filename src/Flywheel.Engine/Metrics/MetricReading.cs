using Flywheel.Core.Metrics;
using Flywheel.Engine.Judging;

namespace Flywheel.Engine.Metrics;

/// <summary>What is known of a metric.</summary>
/// <param name="Calibration">Null if the metric is decided by something other than a judge.</param>
public sealed record MetricReading(MetricSummary Summary, JudgeReliability? Calibration);
