using System.Reflection;
using Flywheel.Core;

namespace Flywheel.Server.Hosting;

/// <summary>Where settings come from: <c>flywheel.json</c> in the working folder, then <c>FLYWHEEL__…</c> variables, then flags.</summary>
static class Settings
{
    public const string File = "flywheel.json";

    /// <summary>Top-level names; a mistyped one must not pass for a default.</summary>
    internal static readonly HashSet<string> Known = new(
        typeof(ServerOptions).GetProperties().Where(property => property.CanWrite)
            .Select(property => property.GetCustomAttribute<ConfigurationKeyNameAttribute>()?.Name ?? property.Name)
            .Concat(["Models", "Embeddings", "Data", "Sandbox", "Databases", "Webhooks", "Evaluators", "Plugins", "Gateway", "Prices",
                "Mcp", "EvaluationExport"]),
        StringComparer.OrdinalIgnoreCase);

    public static IConfigurationRoot Load(IEnumerable<KeyValuePair<string, string?>>? flags = null)
    {
        try
        {
            return new ConfigurationBuilder()
                .AddJsonFile(Path.GetFullPath(File), optional: true, reloadOnChange: false)
                .AddEnvironmentVariables("FLYWHEEL__")
                .AddInMemoryCollection(flags ?? [])
                .Build();
        }
        catch (InvalidDataException e)
        {
            throw new FlywheelException($"{File} cannot be read: {e.InnerException?.Message ?? e.Message}", e);
        }
    }

    public static ServerOptions Server(IConfiguration? configuration = null)
    {
        configuration ??= Load();
        foreach (var setting in configuration.GetChildren())
            if (!Known.Contains(setting.Key))
                throw new FlywheelException(
                    $"There is no setting `{setting.Key}` ({File} or "
                        + $"FLYWHEEL__{setting.Key}).{NearMiss.Hint(setting.Key, Known.Select(name => name.ToLowerInvariant()))} Known "
                        + $"are {NearMiss.List(Known.Order(StringComparer.Ordinal))}.");
        var options = new ServerOptions();
        try
        {
            configuration.Bind(options);
        }
        catch (InvalidOperationException e)
        {
            throw new FlywheelException($"A setting cannot be read: {e.Message}", e);
        }
        var problems = options.Problems().ToArray();
        return problems.Length == 0 ? options : throw new FlywheelException("The settings cannot work: " + string.Join(" ", problems));
    }
}
