namespace Flywheel.Engine.Packs;

/// <summary>What activation did about a metric of a pack.</summary>
public enum ActivationResult
{
    Activated,

    /// <summary>It is active already.</summary>
    Unchanged,

    /// <summary>It is active on more nodes now.</summary>
    Changed,

    /// <summary>The project's metric of this name says something else, and stays.</summary>
    Kept,

    /// <summary>It cannot be activated with this request.</summary>
    LeftOut,
}

/// <param name="Reason">Why it was kept or left out, and what to do; null otherwise.</param>
public sealed record ActivatedMetric(string Name, ActivationResult Result, string? Reason = null);
