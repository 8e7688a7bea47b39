using System.ComponentModel;
using System.Diagnostics;
using System.Text.Json;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;
using Flywheel.TestServer;

namespace Flywheel.Server.Tests.Telemetry;

/// <summary>
/// Real npm clients under real instrumentation make calls while the server runs: the same content is in the trace, to the byte.
/// </summary>
public sealed class LiveClientTests
{
    const string Question = "Wo ist mein Päckchen? 📦\n\"bitte\"", Answer = "Unterwegs: <b>morgen</b> 📦 \"bald\"\n",
        Calls = """[{"name":"look_up","arguments":{"city":"Köln"}}]""";

    static readonly string[] Sdk = ["@opentelemetry/api@1.10.0", "@opentelemetry/sdk-trace-node@2.12.0"];

    static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("contrib",
        "openai@6.49.0 @opentelemetry/instrumentation-openai@0.22.0 @opentelemetry/sdk-logs@0.223.1 "
            + "@opentelemetry/exporter-logs-otlp-http@0.223.1 @opentelemetry/exporter-trace-otlp-proto@0.223.1")]
    [InlineData("traceloop", "openai@6.49.0 @traceloop/instrumentation-openai@0.27.0 @opentelemetry/exporter-trace-otlp-grpc@0.223.1")]
    [InlineData("openinference",
        "openai@6.49.0 @arizeai/openinference-instrumentation-openai@4.2.7 @opentelemetry/exporter-trace-otlp-proto@0.223.1")]
    [InlineData("vercel",
        "ai@7.0.173 @ai-sdk/otel@1.0.173 @ai-sdk/openai@3.0.141 zod@4.6.7 @opentelemetry/exporter-trace-otlp-http@0.223.1")]
    public async Task Plain_streamed_tool_and_failing_calls_arrive_to_the_byte(string library, string packages)
    {
        var folder = await InstallAsync(library, packages.Split(' '));
        var (http, grpc) = (Otlp.FreePort(), Otlp.FreePort());
        await using var server = await RunningServer.StartAsync(
            ("Auth", "keys"), ("otlp_http_port", $"{http}"), ("otlp_grpc_port", $"{grpc}"));
        await server.Store.Projects.AddKeyAsync(
            new(Guid.CreateVersion7(), ProjectId.Default, "live", "fw_", KeyScope.Ingest, DateTimeOffset.UtcNow, null, null),
            KeySecret.HashOf("fw_secret"), Ct);

        await RunAsync(folder, "node", Script(), library, $"http://127.0.0.1:{http}", "fw_secret", $"{grpc}");

        List<NewSpan> calls = [];
        await Eventually.IsAsync(
            async () =>
            {
                var spans = await server.Store.Spans.AfterAsync(ProjectId.Default, new(0), null, 100, Ct);
                calls = [.. spans.Select(span => span.Content).Where(span => span.Kind == NodeKind.Writer)];
                return calls.Count >= 3 && calls.All(call => call.Input is not null);
            },
            Ct);
        Assert.Equal((Question, Answer, "scripted-1", 7, 9),
            (calls[0].Input, calls[0].Output, calls[0].Model, calls[0].InputTokens, calls[0].OutputTokens));
        Assert.Equal((Question, Answer), (calls[1].Input, calls[1].Output));
        Assert.Equal(("call", Calls, 7, 9), (calls[2].Input, calls[2].Output, calls[2].InputTokens, calls[2].OutputTokens));
        var system = JsonDocument.Parse(calls[0].Attributes!).RootElement;
        var said = system.TryGetProperty("gen_ai.system_instructions", out var instructions)
            ? instructions[0] : system.GetProperty("gen_ai.input.messages")[0].GetProperty("parts")[0];
        Assert.Equal("Kurz.", said.GetProperty("content").GetString());
        // Traceloop and OpenInference lose the failing call themselves: they end no span for it under this version of openai.
        if (library is "contrib" or "vercel")
        {
            Assert.Equal(("fail", null), (calls[3].Input, calls[3].Output));
            Assert.Contains("no more", calls[3].Error);
        }
        else
        {
            Assert.Equal(3, calls.Count);
        }
    }

    /// <summary>A folder a library, kept between runs: their versions of OpenTelemetry's packages exclude each other.</summary>
    static async Task<string> InstallAsync(string library, string[] packages)
    {
        var wanted = string.Join(' ', packages.Concat(Sdk));
        var folder = Path.Combine(Path.GetTempPath(), "flywheel-live-clients", library);
        var mark = Path.Combine(folder, "installed.txt");
        if (File.Exists(mark) && await File.ReadAllTextAsync(mark, Ct) == wanted)
            return folder;
        Directory.CreateDirectory(folder);
        await File.WriteAllTextAsync(Path.Combine(folder, "package.json"), """{"private":true,"type":"module"}""", Ct);
        await RunAsync(folder, "npm",
            ["install", "--legacy-peer-deps", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline", .. packages, .. Sdk]);
        await File.WriteAllTextAsync(mark, wanted, Ct);
        return folder;
    }

    static async Task RunAsync(string folder, string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(
            program, arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        Process process;
        try
        {
            process = Process.Start(start)!;
        }
        catch (Win32Exception)
        {
            Assert.Fail($"`{program}` is missing: install Node.js 20 or later with npm (Debian: apt-get install nodejs npm); ./test does "
                + "it where apt is.");
            return;
        }
        using (process)
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(Ct);
            limit.CancelAfter(TimeSpan.FromMinutes(3));
            var (output, error) = (process.StandardOutput.ReadToEndAsync(limit.Token), process.StandardError.ReadToEndAsync(limit.Token));
            try
            {
                await process.WaitForExitAsync(limit.Token);
            }
            finally
            {
                if (!process.HasExited)
                    process.Kill(entireProcessTree: true);
            }
            Assert.True(process.ExitCode == 0,
                $"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}:\n{await output}\n{await error}");
        }
    }

    static string Script()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (Path.Combine(folder.FullName, "Telemetry", "live", "client.mjs") is var file && File.Exists(file))
                return file;
        throw new FileNotFoundException("Telemetry/live/client.mjs does not stand above the test's assembly.");
    }
}
