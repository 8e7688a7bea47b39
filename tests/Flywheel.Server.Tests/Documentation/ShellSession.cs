using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Flywheel.Server.Tests.Documentation;

/// <summary>Runs the shell blocks of one page in order, in one shell and one folder, as a reader would.</summary>
/// <remarks>
/// <c>flywheel</c> and <c>./flywheel</c> are the built program. The port 5151 and the folder /tmp of the page become this run's own.
/// A request that the server refuses is a failure.
/// </remarks>
sealed class ShellSession(string folder, int port)
{
    const string Report = "report.txt";

    static readonly TimeSpan Longest = TimeSpan.FromMinutes(3);

    /// <returns>Per block what it printed, and the commands that failed with their exit codes.</returns>
    public async Task<IReadOnlyList<(string Output, IReadOnlyList<(int Code, string Command)> Failures)>> RunAsync(
        IReadOnlyList<Snippet> blocks, CancellationToken ct)
    {
        var tools = Directory.CreateDirectory(Path.Combine(folder, ".bin")).FullName;
        var program = $"#!/bin/sh\nexec dotnet '{Path.Combine(AppContext.BaseDirectory, "flywheel.dll")}' \"$@\"\n";
        await MakeAsync(Path.Combine(folder, "flywheel"), program, ct);
        await MakeAsync(Path.Combine(tools, "flywheel"), program, ct);
        // -f and --fail-with-body exclude each other.
        await MakeAsync(Path.Combine(tools, "curl"),
            "#!/bin/sh\ncase \" $* \" in *\" -sf \"*) exec /usr/bin/curl \"$@\" ;; esac\nexec /usr/bin/curl --fail-with-body --max-time "
                + "30 \"$@\"\n", ct);
        var script = Path.Combine(tools, "page.sh");
        await File.WriteAllTextAsync(script, Script(blocks), ct);

        using var shell = Process.Start(new ProcessStartInfo("bash")
        {
            ArgumentList = { script },
            WorkingDirectory = folder,
            RedirectStandardError = true,
            Environment =
            {
                ["PATH"] = tools + ":" + Environment.GetEnvironmentVariable("PATH"),
                ["FLYWHEEL__PORT"] = port.ToString(CultureInfo.InvariantCulture),
                ["FLYWHEEL__OTLP_HTTP_PORT"] = "0",
                ["FLYWHEEL__OTLP_GRPC_PORT"] = "0",
                ["FLYWHEEL__DATA"] = folder,
                ["DOTNET_TieredPGO"] = "0",
            },
        })!;
        // A command that never ends must not hold up all tests.
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(Longest);
        string errors;
        try
        {
            errors = await shell.StandardError.ReadToEndAsync(limit.Token);
            await shell.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            shell.Kill(entireProcessTree: true);
            var last = Directory.GetFiles(tools, "*.out").MaxBy(File.GetLastWriteTimeUtc);
            throw new TimeoutException(
                $"A command of the page does not end. The last output: {(last is null ? "" : await File.ReadAllTextAsync(last, ct))}");
        }
        Assert.True(errors.Length == 0, $"The shell cannot read the page's commands: {errors}");
        var failures = (await File.ReadAllLinesAsync(Path.Combine(tools, Report), ct)).Select(line => line.Split('|', 3)).ToLookup(
            parts => int.Parse(parts[0], CultureInfo.InvariantCulture), parts =>
                (int.Parse(parts[1], CultureInfo.InvariantCulture), parts[2]));
        var results = new List<(string, IReadOnlyList<(int, string)>)>();
        for (var i = 0; i < blocks.Count; i++)
            results.Add(((await File.ReadAllTextAsync(Path.Combine(tools, $"{i}.out"), ct))
                .Replace(folder + "/", "/tmp/", StringComparison.Ordinal), [.. failures[i]]));
        return results;
    }

    string Script(IReadOnlyList<Snippet> blocks)
    {
        var script = new StringBuilder(
            $$"""
            cd '{{folder}}'
            exec 3> .bin/{{Report}}
            set -o pipefail
            newline=$'\n'
            trap 'code=$?; echo "$BLOCK|$code|${BASH_COMMAND//$newline/ }" >&3' ERR
            trap 'trap - ERR; kill $(jobs -p) 2>/dev/null; wait 2>/dev/null' EXIT

            """);
        for (var i = 0; i < blocks.Count; i++)
        {
            var text = blocks[i].Text.Replace(":5151", $":{port}", StringComparison.Ordinal)
                .Replace("/tmp/", folder + "/", StringComparison.Ordinal);
            script.Append(CultureInfo.InvariantCulture, $"BLOCK={i}\n{{\n{text}:\n}} > .bin/{i}.out 2>&1 < /dev/null\n");
        }
        return script.ToString();
    }

    static async Task MakeAsync(string path, string text, CancellationToken ct)
    {
        await File.WriteAllTextAsync(path, text, ct);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }
}
