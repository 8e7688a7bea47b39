namespace Flywheel.Core.Projects;

/// <summary>The tenant a row belongs to: part of every key, so nothing crosses it.</summary>
public readonly record struct ProjectId(long Value)
{
    /// <summary>The project that exists in every database from the first migration on, named <c>default</c>.</summary>
    public static ProjectId Default { get; } = new(1);
}
