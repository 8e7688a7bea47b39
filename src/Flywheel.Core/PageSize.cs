namespace Flywheel.Core;

/// <summary>The number of items on one page of a list.</summary>
public static class PageSize
{
    public const int Max = 500;

    /// <summary>The size asked for, from 1 to <see cref="Max"/>.</summary>
    /// <exception cref="RequestException">It is out of range.</exception>
    public static int Check(int limit) => limit is >= 1 and <= Max
        ? limit
        : throw RequestException.BadField("limit", $"`limit` is {limit}: use 1 to {Max}.");
}
