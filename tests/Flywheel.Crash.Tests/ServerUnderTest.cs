using System.Collections.Concurrent;
using System.Diagnostics;

namespace Flywheel.Crash.Tests;

/// <summary>One life of the real server: a process over a database file that outlives it.</summary>
sealed class ServerUnderTest : IDisposable
{
    /// <summary>Seconds; short, so that the work of a dead process is soon seen to come back.</summary>
    public const int Lease = 1;

    readonly Process _process;
    readonly ConcurrentQueue<string> _errors;

    ServerUnderTest(Process process, ConcurrentQueue<string> errors, Uri address) =>
        (_process, _errors, Address) = (process, errors, address);

    public Uri Address { get; }

    public IEnumerable<string> Errors => _errors;

    static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static async Task<ServerUnderTest> StartAsync(string database, IReadOnlyDictionary<string, string>? environment = null)
    {
        var process = Run(database, environment, "serve", "--port", "0", "--db", "sqlite:" + database);
        var errors = new ConcurrentQueue<string>();
        process.ErrorDataReceived += (_, line) =>
        {
            if (line.Data is not null)
                errors.Enqueue(line.Data);
        };
        process.BeginErrorReadLine();
        while (await process.StandardOutput.ReadLineAsync(Ct) is { } line)
            if (line.Split(' ').FirstOrDefault(word => word.StartsWith("http://", StringComparison.Ordinal)) is { } address)
            {
                _ = process.StandardOutput.BaseStream.CopyToAsync(Stream.Null, CancellationToken.None);
                return new(process, errors, new(address));
            }
        await process.WaitForExitAsync(Ct);
        throw new InvalidOperationException($"The server ended with {process.ExitCode} before it listened: {string.Join('\n', errors)}");
    }

    /// <summary>
    /// <c>flywheel doctor</c>: 0 when the counts equal their recomputation, the audit chain is whole and nothing is dead.
    /// </summary>
    public static async Task<(int Exit, string Report)> DoctorAsync(string database)
    {
        using var process = Run(database, null, "doctor", "--db", "sqlite:" + database, "--json");
        process.ErrorDataReceived += (_, _) => { };
        process.BeginErrorReadLine();
        var report = await process.StandardOutput.ReadToEndAsync(Ct);
        await process.WaitForExitAsync(Ct);
        return (process.ExitCode, report);
    }

    /// <summary>SIGKILL: no handler runs, nothing is flushed.</summary>
    public void Kill()
    {
        _process.Kill();
        _process.WaitForExit();
    }

    public Task WaitForDeathAsync() => _process.WaitForExitAsync(Ct);

    public void Dispose()
    {
        if (!_process.HasExited)
            Kill();
        _process.Dispose();
    }

    static Process Run(string database, IReadOnlyDictionary<string, string>? environment, params string[] arguments)
    {
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Path.GetDirectoryName(database)!,
        };
        start.ArgumentList.Add(Built.Program("src/Flywheel.Server", "flywheel.dll"));
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        start.Environment["FLYWHEEL__LeaseSeconds"] = $"{Lease}";
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
            start.Environment[name] = value;
        return Process.Start(start)!;
    }
}
