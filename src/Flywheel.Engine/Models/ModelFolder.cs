namespace Flywheel.Engine.Models;

/// <summary>Where installed models live: `models` in the data folder (FLYWHEEL__DATA, else `~/.flywheel`).</summary>
public static class ModelFolder
{
    public const string DataVariable = "FLYWHEEL__DATA";

    public static string Default
    {
        get
        {
            var data = Environment.GetEnvironmentVariable(DataVariable);
            if (string.IsNullOrWhiteSpace(data))
                data = Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".flywheel");
            return Path.Combine(Path.GetFullPath(data), "models");
        }
    }
}
