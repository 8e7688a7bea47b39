using Flywheel.Core.Projects;

namespace Flywheel.Server.Cli;

/// <summary>The caller of a command: anyone who can open the database may do everything in it.</summary>
static class CommandCaller
{
    public const string Actor = "cli";

    public static Caller Of(Project project) => new(project.Id, KeyScope.Admin, Actor);
}
