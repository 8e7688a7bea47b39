using System.Globalization;
using Flywheel.Core;

namespace Flywheel.Engine.Review;

/// <summary>For how long a person takes an item.</summary>
static class HoldTime
{
    public static readonly TimeSpan Default = TimeSpan.FromMinutes(10);
    static readonly TimeSpan Longest = TimeSpan.FromDays(1);

    /// <exception cref="RequestException">It is no whole number of seconds, minutes or hours, or it is over a day.</exception>
    public static TimeSpan Read(string field, string text) =>
        Parse(text) is { } time && time > TimeSpan.Zero && time <= Longest
            ? time
            : throw RequestException.BadField(field, $"`{field}` is `{text}`: write a time such as 90s, 10m or 1h, at most 24h.");

    static TimeSpan? Parse(string text) =>
        text.Length > 1 && int.TryParse(text[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? text[^1] switch
            {
                's' => TimeSpan.FromSeconds(number),
                'm' => TimeSpan.FromMinutes(number),
                'h' => TimeSpan.FromHours(number),
                _ => null,
            }
            : null;
}
