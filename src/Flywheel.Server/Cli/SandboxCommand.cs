using System.CommandLine;
using Flywheel.Core.Sandboxing;
using Flywheel.Validators.Sandboxing;
using Flywheel.Server.Hosting;

namespace Flywheel.Server.Cli;

/// <summary>What the sandbox's walls are here, and the role that PostgreSQL needs for it.</summary>
static class SandboxCommand
{
    sealed record Walls(string Engine, string? Problem, IReadOnlyList<string> Active, IReadOnlyList<string> Missing);

    public static Command Create() => new("sandbox", "Check the sandbox for model-written code") { CreateLayers(), CreateRole() };

    static Command CreateLayers()
    {
        var database = new Option<string?>("--database") { Description = "Configured database, SQLite file or postgres://…" };
        var json = CommonOptions.Json();
        var command = new Command(
            "layers", "Test the protections of the sandbox on this machine; list those that work and those that are missing") { database,
            json };
        command.SetAction(async (parsed, ct) =>
        {
            var configuration = Settings.Load();
            await using var sandbox = CodeServices.OpenSandbox(configuration);
            List<(string Name, Func<Task<SandboxOpening>> Open)> engines =
            [
                ("javascript", () => Task.FromResult(sandbox.Language(SandboxEngine.JavaScript))),
                ("csharp", () => Task.FromResult(sandbox.Language(SandboxEngine.CSharp))),
            ];
            if (parsed.GetValue(database) is { } named)
                engines.Insert(0, (named, () => CodeServices.OfCommandLine(configuration).Find(named).OpenAsync(sandbox, ct)));
            var walls = new List<Walls>();
            foreach (var (name, open) in engines)
                walls.Add(await OfAsync(sandbox, name, open, ct));
            if (parsed.GetValue(json))
                Output.Json(walls);
            else
                foreach (var wall in walls)
                    Console.WriteLine(string.Join(Environment.NewLine,
                        [wall.Engine, .. wall.Active.Select(layer => "  ok       " + layer),
                            .. wall.Missing.Select(layer => "  missing  " + layer),
                            .. wall.Problem is null ? Array.Empty<string>() : ["  BAD      " + wall.Problem]]));
            return walls.TrueForAll(wall => wall.Problem is null) ? ExitCodes.Ok : ExitCodes.Failed;
        });
        return command;
    }

    static async Task<Walls> OfAsync(Sandbox sandbox, string name, Func<Task<SandboxOpening>> open, CancellationToken ct)
    {
        try
        {
            var ready = await sandbox.ReadyAsync(await open(), ct);
            return new(name, null, ready.Layers, ready.MissingLayers);
        }
        catch (SandboxException e)
        {
            return new(name, e.Message, [], []);
        }
    }

    static Command CreateRole()
    {
        var role = new Option<string>("--role") { Description = "Name of the role", DefaultValueFactory = _ => "flywheel_sandbox" };
        var schema = new Option<string>("--schema") { Description = "Schema of the tables", DefaultValueFactory = _ => "public" };
        var tables = new Option<string[]>("--table") { Description = "Table that the role can read; can be repeated (default: all)" };
        var command = new Command(
            "role", "Print the SQL that creates a read-only role of PostgreSQL; a superuser runs it with psql") { role, schema, tables };
        command.SetAction(parsed =>
        {
            Console.WriteLine(ReadOnlyRole.Sql(parsed.GetValue(role)!, parsed.GetValue(schema)!, parsed.GetValue(tables) ?? []));
            return ExitCodes.Ok;
        });
        return command;
    }
}
