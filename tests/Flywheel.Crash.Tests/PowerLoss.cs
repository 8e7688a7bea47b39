using System.Diagnostics;
using System.Globalization;

namespace Flywheel.Crash.Tests;

/// <summary>Cuts a server's power: what it has not synced is mostly gone (powerloss.c).</summary>
/// <param name="At">The server's write, truncation or sync of the database or its log that is not carried out any more.</param>
/// <param name="InCheckpoint">Only operations on the database file itself count.</param>
/// <param name="Lying">Syncs do nothing and say that they succeeded.</param>
sealed record PowerLoss(int At, bool InCheckpoint, bool Lying, int Seed)
{
    static readonly Lazy<Task<string>> Library = new(CompileAsync);

    public async Task<IReadOnlyDictionary<string, string>> EnvironmentAsync(string database) => new Dictionary<string, string>
    {
        ["LD_PRELOAD"] = await Library.Value,
        ["POWERLOSS_DB"] = database,
        ["POWERLOSS_AT"] = At.ToString(CultureInfo.InvariantCulture),
        ["POWERLOSS_ON"] = InCheckpoint ? "db" : "both",
        ["POWERLOSS_SEED"] = Seed.ToString(CultureInfo.InvariantCulture),
        ["POWERLOSS_LIE"] = Lying ? "1" : "0",
    };

    static async Task<string> CompileAsync()
    {
        var folder = Directory.CreateTempSubdirectory("flywheel-powerloss-").FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(folder, recursive: true);
        var library = Path.Combine(folder, "powerloss.so");
        using var cc = Process.Start(new ProcessStartInfo("cc")
        {
            ArgumentList = { "-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror", "-o", library,
                Path.Combine(AppContext.BaseDirectory, "powerloss.c"), "-ldl", "-pthread" },
            RedirectStandardError = true,
        })!;
        var complaints = await cc.StandardError.ReadToEndAsync();
        await cc.WaitForExitAsync();
        return cc.ExitCode == 0 ? library : throw new InvalidOperationException("powerloss.c does not compile: " + complaints);
    }
}
