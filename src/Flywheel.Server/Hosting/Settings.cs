using Flywheel.Core;

namespace Flywheel.Server.Hosting;

/// <summary>Where settings come from: <c>flywheel.json</c> in the working folder, then <c>FLYWHEEL__…</c> variables, then flags.</summary>
static class Settings
{
    public const string File = "flywheel.json";

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
        var options = new ServerOptions();
        try
        {
            (configuration ?? Load()).Bind(options);
        }
        catch (InvalidOperationException e)
        {
            throw new FlywheelException($"A setting cannot be read: {e.Message}", e);
        }
        var problems = options.Problems().ToArray();
        return problems.Length == 0 ? options : throw new FlywheelException("The settings cannot work: " + string.Join(" ", problems));
    }
}
