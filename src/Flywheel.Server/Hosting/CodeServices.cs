using Flywheel.Validators.Code;
using Flywheel.Validators.Sandboxing;

namespace Flywheel.Server.Hosting;

/// <summary>The sandbox and the databases of validators of code, by the settings: sections <c>Sandbox</c> and <c>Databases</c>.</summary>
static class CodeServices
{
    public static Sandbox OpenSandbox(IConfiguration configuration)
    {
        var options = new SandboxOptions();
        var section = configuration.GetSection("Sandbox");
        return new(options with
        {
            MemoryMb = Whole(section, nameof(options.MemoryMb), options.MemoryMb, 64, 16_384),
            MaxRows = Whole(section, nameof(options.MaxRows), options.MaxRows, 1, 1_000_000),
            MaxBytes = Whole(section, nameof(options.MaxBytes), options.MaxBytes, 1_000, 64_000_000),
            MaxAtWork = Whole(section, nameof(options.MaxAtWork), options.MaxAtWork, 1, 256),
            MaxIdle = Whole(section, nameof(options.MaxIdle), options.MaxIdle, 0, 256),
            Analyzers = [.. section.GetSection(nameof(options.Analyzers)).GetChildren().Select(path => path.Value).OfType<string>()
                .Select(Path.GetFullPath)],
        });
    }

    /// <summary>Names only: a path in a request would let its sender try files.</summary>
    public static CodeDatabases OfServer(IConfiguration configuration, string own) => new(Named(configuration), allowsFiles: false, own);

    public static CodeDatabases OfCommandLine(IConfiguration configuration) => new(Named(configuration), allowsFiles: true, null);

    static Dictionary<string, string> Named(IConfiguration configuration) => configuration.GetSection("Databases").GetChildren()
        .Where(database => !string.IsNullOrWhiteSpace(database.Value))
        .ToDictionary(database => database.Key, database => database.Value!, StringComparer.OrdinalIgnoreCase);

    static int Whole(IConfigurationSection section, string name, int otherwise, int min, int max)
    {
        if (section[name] is not { Length: > 0 } text)
            return otherwise;
        return int.TryParse(text, out var value) && value >= min && value <= max
            ? value
            : throw new SandboxException($"`Sandbox:{name}` is `{text}`: give a whole number from {min} to {max}.");
    }
}
