using System.Collections.Concurrent;
using System.Diagnostics;
using Flywheel.TestServer;

namespace Flywheel.Crash.Tests;

/// <summary>One life of an application that uses the client: it says of each call that it is safe.</summary>
sealed class AppUnderTest : IDisposable
{
    readonly Process _process;
    readonly ConcurrentQueue<string> _errors = new();
    readonly ConcurrentQueue<string> _safe = new();

    /// <param name="outbox">A dash for none.</param>
    public AppUnderTest(Uri server, string outbox)
    {
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.ArgumentList.Add(Built.Program("samples/ClientTour", "ClientTour.dll"));
        start.ArgumentList.Add("outbox");
        start.ArgumentList.Add(outbox);
        start.Environment["FLYWHEEL_URL"] = server.ToString();
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, line) =>
        {
            // The last line of a killed process may be cut short: it says nothing.
            if (line.Data?.Split(' ') is ["safe", { Length: 49 } key])
                _safe.Enqueue(key);
        };
        _process.ErrorDataReceived += (_, line) =>
        {
            if (line.Data is not null)
                _errors.Enqueue(line.Data);
        };
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>TRACE/SPAN of each call that it said is safe.</summary>
    public IReadOnlyCollection<string> Safe => _safe;

    public async Task HasSaidAsync(int calls)
    {
        await Eventually.IsAsync(
            () =>
            {
                Assert.False(_process.HasExited, string.Join('\n', _errors));
                return _safe.Count >= calls;
            },
            TestContext.Current.CancellationToken, $"{calls} calls");
    }

    /// <summary>SIGKILL: no handler runs, nothing is sent.</summary>
    public void Kill()
    {
        if (!_process.HasExited)
            _process.Kill();
        // With the end of its output read.
        _process.WaitForExit();
    }

    public void Dispose()
    {
        Kill();
        _process.Dispose();
    }
}
