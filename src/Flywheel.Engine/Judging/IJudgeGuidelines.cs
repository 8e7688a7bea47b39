using Flywheel.Core.Projects;

namespace Flywheel.Engine.Judging;

/// <param name="Version">Hash of the texts: equal for equal sets.</param>
/// <param name="Texts">In the order in which they were approved.</param>
public sealed record GuidelineSet(string Version, IReadOnlyList<string> Texts)
{
    public static GuidelineSet None { get; } = new("none", []);
}

/// <summary>Approved guidelines of a metric.</summary>
public interface IJudgeGuidelines
{
    /// <summary>As last read; costs nothing and may lag.</summary>
    GuidelineSet Known(ProjectId project, string metric);

    /// <summary>As they are, at most a second old.</summary>
    Task<GuidelineSet> CurrentAsync(ProjectId project, string metric, CancellationToken ct);
}
