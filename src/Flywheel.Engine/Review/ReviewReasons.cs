using Flywheel.Core;
using Flywheel.Core.Metrics;
using Flywheel.Core.Review;

namespace Flywheel.Engine.Review;

/// <summary>The reasons of the queue as words.</summary>
public static class ReviewReasons
{
    public static string Name(ReviewReason reason) => reason switch
    {
        ReviewReason.LowScore => "low-score",
        ReviewReason.RandomAudit => "random-audit",
        _ => Wire.Name(reason),
    };

    /// <returns>Null if no word is given.</returns>
    /// <exception cref="RequestException">No reason has this name.</exception>
    public static ReviewReason? Parse(string? name)
    {
        if (name is null)
            return null;
        foreach (var reason in Enum.GetValues<ReviewReason>())
            if (Name(reason) == name)
                return reason;
        var choices = string.Join(", ", Enum.GetValues<ReviewReason>().Select(Name));
        throw RequestException.BadField("reason", $"`reason` is `{name}`: use {choices}.");
    }
}
