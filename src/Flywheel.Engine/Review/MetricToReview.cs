using Flywheel.Core.Metrics;

namespace Flywheel.Engine.Review;

/// <param name="Overdue">True when the day has come.</param>
/// <param name="Evidence">Null where it was not asked for.</param>
public sealed record MetricToReview(MetricSchedule Schedule, bool Overdue, MetricEvidence? Evidence);
