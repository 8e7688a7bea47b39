using Microsoft.Extensions.AI;

namespace Flywheel.Engine.Models;

/// <summary>What a model charges, in US dollars a million tokens.</summary>
/// <param name="CachedInput">For input tokens served from the provider's cache; null when they cost as much as others.</param>
public sealed record ModelPrice(double Input, double Output, double? CachedInput = null)
{
    public static ModelPrice Free { get; } = new(0, 0);

    /// <summary>US dollars of one call; 0 when the provider reported no usage.</summary>
    public double CostUsd(UsageDetails? usage)
    {
        if (usage is null)
            return 0;
        var cached = Math.Min(usage.CachedInputTokenCount ?? 0, usage.InputTokenCount ?? 0);
        var fresh = (usage.InputTokenCount ?? 0) - cached;
        return (fresh * Input + cached * (CachedInput ?? Input) + (usage.OutputTokenCount ?? 0) * Output) / 1e6;
    }
}
