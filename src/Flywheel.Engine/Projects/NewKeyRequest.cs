using Flywheel.Core;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;

namespace Flywheel.Engine.Projects;

/// <summary>A key to create.</summary>
/// <param name="Project">Name of the project; a new name creates the project.</param>
/// <param name="Scope"><c>ingest</c>, <c>read</c>, <c>models</c>, <c>agent</c> or <c>admin</c>.</param>
/// <param name="Days">Number of days until it expires; null for never.</param>
public sealed record NewKeyRequest(string Project, string Name, string Scope, int? Days = null)
{
    const int MaxDays = 36_500;

    /// <summary>As the table of projects demands it.</summary>
    const int MaxProjectName = 200;

    /// <summary>Checks everything that can be checked without the database.</summary>
    /// <exception cref="RequestException"><c>invalid_scope</c>, <c>invalid_days</c>, <c>invalid_project</c>.</exception>
    public KeyScope Check()
    {
        var scope = Wire.Choice<KeyScope>("scope", Scope)!.Value;
        if (Days is < 1 or > MaxDays)
            throw RequestException.BadField("days", $"`days` is {Days}: use 1 to {MaxDays}.");
        return Project.Length is 0 or > MaxProjectName
            ? throw RequestException.BadField("project", $"`project` must have 1 to {MaxProjectName} characters.")
            : scope;
    }
}
