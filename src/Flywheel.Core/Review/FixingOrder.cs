namespace Flywheel.Core.Review;

/// <summary>An item that waits for a look, with how likely it is a failure.</summary>
public readonly record struct LikelyFailure(int Index, double Chance);

/// <summary>Which items to look at for fixing: the likeliest failures first, as of the labels so far.</summary>
/// <remarks>Labels given in this order find failures and teach; they estimate nothing, so they carry no propensity.</remarks>
public static class FixingOrder
{
    /// <summary>Labels of each kind from which on a forecast is made at all.</summary>
    public const int LeastOfEach = 2;

    /// <summary>Newest labels that a forecast learns from.</summary>
    public const int MostLabels = 1_000;

    /// <returns>The waiting items, likeliest failure first; null while there are too few labels to tell.</returns>
    public static IReadOnlyList<LikelyFailure>? Of(
        IReadOnlyList<ForecastItem> labelled, IReadOnlyList<bool> failed, IReadOnlyList<ForecastItem> waiting)
    {
        if (failed.Count(it => it) < LeastOfEach || failed.Count(it => !it) < LeastOfEach)
            return null;
        var forecast = FailureForecast.Fit([.. labelled.TakeLast(MostLabels)], [.. failed.TakeLast(MostLabels)]);
        return [.. waiting.Select((item, i) => new LikelyFailure(i, forecast.Of(item))).OrderByDescending(it => it.Chance)
            .ThenBy(it => it.Index)];
    }
}
