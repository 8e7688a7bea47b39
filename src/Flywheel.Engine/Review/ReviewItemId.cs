using System.Globalization;
using Flywheel.Core.Review;

namespace Flywheel.Engine.Review;

/// <summary>Items by name: the span's and the metric's numbers; metric 0 asks about the output itself.</summary>
public static class ReviewItemId
{
    public static string Of(ReviewPair pair) => string.Create(CultureInfo.InvariantCulture, $"{pair.Span.Value}-{pair.Metric.Value}");

    /// <returns>Null if it names no item.</returns>
    public static ReviewPair? Parse(string id) =>
        id.Split('-') is [var span, var metric]
        && long.TryParse(span, NumberStyles.None, CultureInfo.InvariantCulture, out var spanId)
        && long.TryParse(metric, NumberStyles.None, CultureInfo.InvariantCulture, out var metricId)
            ? new(new(spanId), new(metricId))
            : null;
}
