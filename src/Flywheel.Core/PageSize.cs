namespace Flywheel.Core;

/// <summary>The number of items on one page of a list.</summary>
public static class PageSize
{
    public const int Max = 500;

    /// <summary>The size asked for, from 1 to <paramref name="max"/>.</summary>
    /// <exception cref="RequestException">It is out of range.</exception>
    public static int Check(int limit, int max = Max) => limit >= 1 && limit <= max
        ? limit
        : throw RequestException.BadField("limit", $"`limit` is {limit}: use 1 to {max}.");
}
