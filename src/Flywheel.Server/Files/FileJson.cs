using System.Text.Json;
using Flywheel.Server.Api;

namespace Flywheel.Server.Files;

/// <summary>JSON in files and on the console: the same names and forms as in REST.</summary>
static class FileJson
{
    /// <summary>One value per line.</summary>
    public static JsonSerializerOptions Lines { get; } = new(Body.Options) { WriteIndented = false };

    public static JsonSerializerOptions Pretty { get; } = new(Body.Options) { WriteIndented = true };
}
