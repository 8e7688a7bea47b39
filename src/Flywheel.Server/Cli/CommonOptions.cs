using System.CommandLine;
using Flywheel.Core;
using Flywheel.Core.Projects;
using Flywheel.Server.Hosting;
using Flywheel.Storage;

namespace Flywheel.Server.Cli;

/// <summary>Options that several commands share, with one wording.</summary>
static class CommonOptions
{
    public static Option<string?> Db() =>
        new("--db") { Description = "Database: sqlite:FILE or postgres://… (default: the setting Db, else sqlite:flywheel.db)" };

    public static Option<string> Project() =>
        new("--project") { Description = "Name of the project", DefaultValueFactory = _ => "default" };

    public static Option<bool> Json() => new("--json") { Description = "Print one JSON value and nothing else" };

    /// <summary>Opens the database of the flag or the settings, with its schema up to date.</summary>
    public static async Task<IFlywheelStore> OpenAsync(string? db, CancellationToken ct)
    {
        var store = await FlywheelStore.OpenAsync(db ?? Settings.Server().Db, null, ct);
        await store.MigrateAsync(ct);
        return store;
    }

    /// <summary>The same for commands that only look: a database that is not there is a mistyped path, not a new one.</summary>
    public static async Task<IFlywheelStore> OpenExistingAsync(string? db, CancellationToken ct)
    {
        MustExist(db ?? Settings.Server().Db);
        return await OpenAsync(db, ct);
    }

    /// <exception cref="FlywheelException">The database is a file that is not there.</exception>
    public static void MustExist(string url)
    {
        const string Scheme = "sqlite:";
        if (url.StartsWith(Scheme, StringComparison.Ordinal) && url[Scheme.Length..] is { Length: > 0 } path and not ":memory:"
            && !File.Exists(path))
            throw new FlywheelException(
                $"There is no database {path}: check --db, or make one with `flywheel serve`, `flywheel import` or `flywheel migrate`.");
    }

    public static async Task<Project> ProjectAsync(IFlywheelStore store, string name, CancellationToken ct) =>
        await store.Projects.FindAsync(name, ct)
        ?? throw new FlywheelException($"There is no project `{name}`: `flywheel keys create --project {name}` creates it.");
}
