namespace Flywheel.Core.Projects;

/// <summary>Who asks for something, and in which project. Every use case takes one.</summary>
/// <param name="Scope">What the caller may do; the edge has checked it against what the use case needs.</param>
/// <param name="Actor">Name for audit entries and authorship: the name of the key, <c>local</c> without keys, <c>cli</c> for a
/// command.</param>
public record Caller(ProjectId Project, KeyScope Scope, string Actor)
{
    /// <summary>The same caller, who acts for a person.</summary>
    /// <param name="author">Name of the person; null if the caller acts for itself.</param>
    public Caller For(string? author) => author is null ? this : new(Project, Scope, author);
}
