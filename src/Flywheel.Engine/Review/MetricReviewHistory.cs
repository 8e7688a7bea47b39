namespace Flywheel.Engine.Review;

/// <param name="Reviews">The newest first.</param>
public sealed record MetricReviewHistory(MetricToReview Metric, IReadOnlyList<PastReview> Reviews);
