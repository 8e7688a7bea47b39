using System.Reflection;
using Flywheel.Core.Sandboxing;
using Flywheel.SandboxChild.Databases;
using Flywheel.SandboxChild.Languages;

namespace Flywheel.SandboxChild;

/// <summary>One engine inside a child.</summary>
interface IWorker : IDisposable
{
    /// <summary>What it offers; the walls of the process are added to it.</summary>
    SandboxReady Ready { get; }

    /// <summary>Does one task and gives the answer's JSON. Never throws for what the task holds.</summary>
    byte[] Answer(byte[] task, SelfWatch watch);
}

/// <summary>A child cannot open what it was told to; the message names the remedy.</summary>
sealed class OpeningException(string message) : Exception(message);

static class Workers
{
    /// <summary>Opens and warms up: once the door is locked, no file can be opened any more, not even an assembly.</summary>
    public static async Task<IWorker> OpenAsync(SandboxOpening opening)
    {
        IWorker worker = opening.Engine switch
        {
            SandboxEngine.Sqlite => SqliteWorker.Open(opening),
            SandboxEngine.Postgres => await PostgresWorker.OpenAsync(opening),
            SandboxEngine.JavaScript => ScriptWorker.Open(opening),
            _ => CompileWorker.Open(opening),
        };
        LoadAll(worker.GetType().Assembly, worker is SqliteWorker ? ["Microsoft.Data.Sqlite", "Npgsql", "Jint", "Acornima", "Microsoft.CodeAnalysis"] : []);
        return worker;
    }

    /// <summary>Loads what this assembly leads to, except what the engine at work does not need.</summary>
    static void LoadAll(Assembly root, string[] except)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var next = new Stack<Assembly>([root]);
        while (next.TryPop(out var assembly))
            foreach (var name in assembly.GetReferencedAssemblies())
                if (name.Name is { } text && seen.Add(text) && !except.Any(prefix => text.StartsWith(prefix, StringComparison.Ordinal)))
                    try
                    {
                        next.Push(Assembly.Load(name));
                    }
                    catch (FileNotFoundException)
                    {
                        // An optional part of a package that is not deployed.
                    }
    }
}
