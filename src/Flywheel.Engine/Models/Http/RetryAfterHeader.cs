using System.Globalization;

namespace Flywheel.Engine.Models.Http;

/// <summary>RFC 9110, 10.2.3: seconds, or a date.</summary>
internal static class RetryAfterHeader
{
    /// <summary>Null for a missing or unreadable value; 0 for a date that has passed.</summary>
    public static TimeSpan? Parse(string? value, TimeProvider clock)
    {
        if (double.TryParse(value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds))
            return TimeSpan.FromSeconds(Math.Min(seconds, TimeSpan.FromDays(1).TotalSeconds));
        if (!DateTimeOffset.TryParseExact(value, "r", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at))
            return null;
        var wait = at - clock.GetUtcNow();
        return wait < TimeSpan.Zero ? TimeSpan.Zero : wait;
    }
}
