using System.CommandLine;
using Flywheel.Core.Projects;

namespace Flywheel.Server.Cli;

/// <summary>The options of a command that works on a project of a database, and what the command gets from them.</summary>
sealed class ProjectOptions
{
    public Option<string?> Db { get; } = CommonOptions.Db();
    public Option<string> Project { get; } = CommonOptions.Project();
    public Option<bool> Json { get; } = CommonOptions.Json();

    /// <summary>Runs a command over one use case service that needs the database only.</summary>
    /// <param name="run">Given the service, the caller, and whether to print JSON.</param>
    /// <param name="mayCreate">Create the database and the project if they do not exist.</param>
    public async Task<int> RunAsync<TService>(
        ParseResult parsed, Func<TService, Caller, bool, Task> run, CancellationToken ct, bool mayCreate = false)
        where TService : notnull
    {
        var url = parsed.GetValue(Db);
        await using var store = await (mayCreate ? CommonOptions.OpenAsync(url, ct) : CommonOptions.OpenExistingAsync(url, ct));
        var name = parsed.GetValue(Project)!;
        var project = mayCreate
            ? await store.Projects.EnsureAsync(name, TimeProvider.System.GetUtcNow(), ct)
            : await CommonOptions.ProjectAsync(store, name, ct);
        await using var engine = CommandEngine.OverData(store);
        await run(engine.Get<TService>(), CommandCaller.Of(project), parsed.GetValue(Json));
        return ExitCodes.Ok;
    }
}
