using System.Reflection;
using Flywheel.Core.Sandboxing;
using Flywheel.SandboxChild.Databases;
using Flywheel.SandboxChild.Languages;
using Flywheel.SandboxChild.Workers;

namespace Flywheel.SandboxChild;

/// <summary>The engines that a child may be.</summary>
static class SandboxEngines
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
        LoadAll(worker.GetType().Assembly,
            worker is SqliteWorker ? ["Microsoft.Data.Sqlite", "Npgsql", "Jint", "Acornima", "Microsoft.CodeAnalysis"] : []);
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
