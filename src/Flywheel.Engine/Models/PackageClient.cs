using System.ComponentModel;
using System.Diagnostics;

namespace Flywheel.Engine.Models;

/// <summary>Runs a package manager's own client (npm, dotnet), so that its registry, proxy and login settings hold.</summary>
internal static class PackageClient
{
    /// <summary>Waits for the client to succeed; ends it when cancelled.</summary>
    /// <param name="missing">What to tell the user when there is no such program.</param>
    /// <exception cref="ModelSetupException">No such program, or it failed: then with the end of what it said.</exception>
    public static async Task RunAsync(string program, IEnumerable<string> arguments, string folder, string missing, CancellationToken ct)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        using var process = Start(start, missing);
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync(ct);
        var errors = process.StandardError.ReadToEndAsync(ct);
        try
        {
            await process.WaitForExitAsync(ct);
            if (process.ExitCode != 0)
                throw new ModelSetupException(
                    $"`{program} {string.Join(' ', start.ArgumentList)}` failed with exit code {process.ExitCode}: "
                        + $"{Tail(await errors + await output)}");
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
    }

    private static Process Start(ProcessStartInfo start, string missing)
    {
        try
        {
            return Process.Start(start) ?? throw new ModelSetupException(missing);
        }
        catch (Win32Exception e)
        {
            throw new ModelSetupException(missing, e);
        }
    }

    private static string Tail(string said)
    {
        var text = said.Trim();
        return text.Length <= 600 ? text : "…" + text[^600..];
    }
}
