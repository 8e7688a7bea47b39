using System.Diagnostics;
using System.Globalization;

namespace Flywheel.Bench.Gateway;

/// <summary>One way to the provider: where to call, and the process that it costs.</summary>
/// <param name="headers">Lines that its requests need besides the usual ones.</param>
sealed class Target(string name, Uri chat, Process? process, string headers = "") : IDisposable
{
    public string Name => name;
    public Uri Chat => chat;
    public string Headers => headers;

    /// <summary>Starts a program that prints its address.</summary>
    /// <param name="path">From the address to the chat completions.</param>
    public static async Task<Target> StartAsync(
        string name, string path, IReadOnlyDictionary<string, string>? environment, params string[] command)
    {
        var start = new ProcessStartInfo("dotnet", command) { RedirectStandardOutput = true };
        foreach (var (key, value) in environment ?? new Dictionary<string, string>())
            start.Environment[key] = value;
        var process = Process.Start(start)!;
        while (await process.StandardOutput.ReadLineAsync() is { } line)
            if (line.Split(' ').FirstOrDefault(word => word.StartsWith("http://", StringComparison.Ordinal)) is { } address)
                return new Target(name, new Uri(new Uri(address), path), process);
        throw new InvalidOperationException($"{name} ended before it listened.");
    }

    /// <summary>Seconds of processor time used so far.</summary>
    public double CpuSeconds()
    {
        if (process is null)
            return 0;
        var fields = File.ReadAllText($"/proc/{process.Id}/stat").Split(") ")[1].Split(' ');
        return (double.Parse(fields[11], CultureInfo.InvariantCulture) + double.Parse(fields[12], CultureInfo.InvariantCulture)) / 100;
    }

    public void Dispose()
    {
        if (process is null)
            return;
        process.Kill();
        process.WaitForExit();
        process.Dispose();
    }
}
