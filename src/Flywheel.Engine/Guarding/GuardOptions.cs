namespace Flywheel.Engine.Guarding;

/// <summary>How long a guard may take before it counts as one that cannot check.</summary>
public sealed class GuardOptions
{
    /// <summary>A check in code.</summary>
    public TimeSpan CodeTimeout { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>A judge.</summary>
    public TimeSpan JudgeTimeout { get; set; } = TimeSpan.FromSeconds(5);
}
