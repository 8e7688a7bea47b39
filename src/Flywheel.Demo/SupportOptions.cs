namespace Flywheel.Demo;

/// <summary>Limits of the statements that the SQL node writes.</summary>
public record SupportOptions
{
    /// <summary>A statement that runs longer is interrupted.</summary>
    public TimeSpan QueryDeadline { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Number of rows; more are cut off.</summary>
    public int MaxRows { get; init; } = 50;
}
