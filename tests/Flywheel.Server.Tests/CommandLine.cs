using System.Diagnostics;

namespace Flywheel.Server.Tests;

/// <summary>Runs a command of the program: in this process, or as a process of its own.</summary>
static class CommandLine
{
    static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>In this process, which starts fifty times as fast.</summary>
    /// <param name="line">Arguments parted by blanks; those that name a file of the folder are made absolute, and short again in the
    /// output.</param>
    public static async Task<(int Exit, string Output, string Errors)> RunAsync(string line, string folder)
    {
        using var console = CapturedConsole.Begin();
        var exit = await Cli.Commands.RunAsync([.. line.Split(' ').Select(argument => Absolute(argument, folder))]);
        return (exit, Short(console.Output, folder), Short(console.Errors, folder));
    }

    /// <summary>As a process, as users run it.</summary>
    public static async Task<(int Exit, string Output, string Errors)> RunProcessAsync(string line, string folder)
    {
        using var process = Start(line, folder);
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(Ct), process.StandardError.ReadToEndAsync(Ct));
        await process.WaitForExitAsync(Ct);
        return (process.ExitCode, await output, await errors);
    }

    public static Process Start(string line, string folder) =>
        Process.Start(new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "flywheel.dll"), .. line.Split(' ')])
        {
            WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true,
        })!;

    static string Absolute(string argument, string folder) => Path.GetExtension(argument) switch
    {
        ".db" => "sqlite:" + Path.Combine(folder, argument["sqlite:".Length..]),
        ".jsonl" or ".csv" => Path.Combine(folder, argument),
        _ => argument,
    };

    static string Short(string output, string folder) => output.Replace(folder + Path.DirectorySeparatorChar, "", StringComparison.Ordinal);
}
