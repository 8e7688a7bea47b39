namespace Flywheel.Engine.Review;

/// <param name="Next">Cursor of the following page; null on the last.</param>
/// <param name="Due">Metrics in code that are due to be looked at again; null unless it is the first page of the whole queue.</param>
public sealed record QueuePage(IReadOnlyList<QueueItem> Items, string? Next, IReadOnlyList<MetricToReview>? Due = null);
