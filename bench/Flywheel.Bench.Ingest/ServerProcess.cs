using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;

namespace Flywheel.Bench.Ingest;

/// <summary>The product as users run it: a process of its own.</summary>
sealed class ServerProcess : IDisposable
{
    readonly Process _process;

    ServerProcess(Process process, Uri address) => (_process, Address) = (process, address);

    public Uri Address { get; }

    public static async Task<ServerProcess> StartAsync(string program, string db, bool works)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in new[] { program, "serve", "--port", "0", "--db", db })
            start.ArgumentList.Add(argument);
        if (!works)
            start.ArgumentList.Add("--no-work");
        var process = Process.Start(start)!;
        process.ErrorDataReceived += (_, line) =>
        {
            if (line.Data is not null)
                Console.Error.WriteLine("server: " + line.Data);
        };
        process.BeginErrorReadLine();
        while (await process.StandardOutput.ReadLineAsync() is { } line)
            if (line.Split(' ').FirstOrDefault(word => word.StartsWith("http://", StringComparison.Ordinal)) is { } address)
                return new ServerProcess(process, new Uri(address));
        throw new InvalidOperationException("The server ended before it listened.");
    }

    public async Task AddMetricsAsync(int count)
    {
        using var http = new HttpClient { BaseAddress = Address };
        for (var i = 0; i < count; i++)
            (await http.PostAsJsonAsync("/api/v1/metrics", new
            {
                name = "bench." + i, criterion = "Is it short?", validator = new { kind = "length", max = 100 + i, unit = "characters" },
            })).EnsureSuccessStatusCode();
    }

    /// <summary>Seconds of processor time that the process has used.</summary>
    public double CpuSeconds() => Cpu.Of(_process.Id);

    public double ResidentMegabytes() =>
        double.Parse(File.ReadLines($"/proc/{_process.Id}/status").First(line => line.StartsWith("VmRSS", StringComparison.Ordinal))
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024;

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }
}
