using Flywheel.Core.Metrics;

namespace Flywheel.Engine.Review;

/// <param name="Version">Number of the metric's version that was in force; 0 if it is gone.</param>
public sealed record PastReview(MetricReview Review, int Version);
