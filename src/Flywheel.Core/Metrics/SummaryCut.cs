namespace Flywheel.Core.Metrics;

/// <summary>Which part of a metric's counts a caller asks for, in the words of the request.</summary>
/// <param name="By"><c>node</c>, <c>time</c> or <c>node,time</c>; null for no slices.</param>
/// <param name="Bucket">Length of a slice of time: <c>hour</c>, <c>day</c> or <c>week</c>; null means <c>day</c>.</param>
/// <param name="Node">Only this node; null for all.</param>
/// <param name="From">ISO-8601: spans that started at or after it; null for no bound.</param>
/// <param name="To">ISO-8601: spans that started before it; null for no bound.</param>
public sealed record SummaryCut(string? By = null, string? Bucket = null, string? Node = null, string? From = null, string? To = null);
