using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Flywheel.TestServer;

namespace Flywheel.Server.Tests.Gateway;

/// <summary>The npm `openai` SDK against the real server.</summary>
public sealed class NodeClientTests
{
    const string Version = "6.9.1";

    static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_openai_package_makes_plain_streamed_tool_and_failing_calls()
    {
        await using var gateway = await GatewayUnderTest.StartAsync(settings: [("Auth", "keys"), ("Gateway:Providers:test:models:1:model", "named")]);
        const string Said = "Zwölf \"Zitronen\"\n\tkosten 3 € 😀";
        gateway.Provider.Then(
            ModelReply.Says(Said), ModelReply.Says(Said), ModelReply.Calls("weather", """{"city":"Köln"}"""), ModelReply.Fails(400, message: "no such thing"),
            ModelReply.CutAfter("cut off here", 2));
        var modules = await ModulesAsync();

        var saw = JsonElement.Parse(await RunAsync("node", Path.GetDirectoryName(SourceFile())!, "client.mjs", modules, gateway.Server.Http.BaseAddress + "openai/v1", await gateway.KeyAsync(), Said));
        var spans = await gateway.Server.Store.Spans.AfterAsync(Core.Projects.ProjectId.Default, default, "fruit", 10, Ct);

        Assert.Equal((Said, Said, 0), (saw.GetProperty("plain").GetString(), saw.GetProperty("streamed").GetString(), saw.GetProperty("usage").GetInt32()));
        Assert.Equal("""{"city":"Köln"}""", saw.GetProperty("call").GetProperty("arguments").GetString());
        Assert.Equal(400, saw.GetProperty("status").GetInt32());
        Assert.Contains("no such thing", saw.GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Contains("broke off", saw.GetProperty("cut").GetString(), StringComparison.Ordinal);
        Assert.Equal("named", saw.GetProperty("models")[0].GetString());
        Assert.Equal(8, saw.GetProperty("dimensions").GetInt32());
        Assert.Equal([Said, Said, """[{"name":"weather","arguments":{"city":"Köln"}}]""", null, "cut off"], spans.Select(span => span.Content.Output));
        Assert.Equal([Said, Said, "weather?", "x", "y"], spans.Select(span => span.Content.Input));
        Assert.Equal("upstream_refused: no such thing", spans[3].Content.Error);
        Assert.StartsWith("upstream_broken", spans[4].Content.Error, StringComparison.Ordinal);
        Assert.All(spans, span => Assert.Equal("npm", span.Content.Session));
    }

    /// <summary>A folder of this version that has the package; the registry is asked once a machine.</summary>
    static async Task<string> ModulesAsync()
    {
        var folder = Path.Combine(Path.GetTempPath(), "flywheel-test-npm-openai-" + Version);
        if (Directory.Exists(Path.Combine(folder, "node_modules", "openai")))
            return folder;
        var fresh = Directory.CreateTempSubdirectory("flywheel-npm-").FullName;
        await RunAsync("npm", fresh, "install", "--no-audit", "--no-fund", "--no-save", "--prefix", fresh, "openai@" + Version);
        try
        {
            Directory.Move(fresh, folder);
        }
        catch (IOException) when (Directory.Exists(folder))
        {
            // Another run was first.
            Directory.Delete(fresh, recursive: true);
        }
        return folder;
    }

    static async Task<string> RunAsync(string program, string folder, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Start(start);
        using var late = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        late.CancelAfter(TimeSpan.FromSeconds(60));
        var output = process.StandardOutput.ReadToEndAsync(late.Token);
        var errors = process.StandardError.ReadToEndAsync(late.Token);
        try
        {
            await process.WaitForExitAsync(late.Token);
        }
        catch
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
        Assert.True(process.ExitCode == 0, $"{program} ended with {process.ExitCode}: {await errors}");
        return await output;
    }

    static Process Start(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception missing)
        {
            throw new InvalidOperationException($"`{start.FileName}` is missing: install Node.js 18 or later with npm, as ./test does.", missing);
        }
    }

    static string SourceFile([CallerFilePath] string path = "") => path;
}
