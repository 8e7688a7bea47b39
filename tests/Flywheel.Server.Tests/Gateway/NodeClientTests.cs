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
        await using var gateway = await GatewayUnderTest.StartAsync(
            settings: [("Auth", "keys"), ("Gateway:Providers:test:models:1:model", "named")]);
        const string Said = "Zwölf \"Zitronen\"\n\tkosten 3 € 😀";
        gateway.Provider.Then(
            ModelReply.Says(Said), ModelReply.Says(Said), ModelReply.Calls("weather", """{"city":"Köln"}"""),
            ModelReply.Fails(400, message: "no such thing"),
            ModelReply.CutAfter("cut off here", 2));
        var modules = await ModulesAsync();

        var saw = JsonElement.Parse(
            await RunAsync("node", Path.GetDirectoryName(SourceFile())!, "client.mjs", modules,
                gateway.Server.Http.BaseAddress + "openai/v1", await gateway.KeyAsync(), Said));
        var spans = await gateway.Server.Store.Spans.AfterAsync(Core.Projects.ProjectId.Default, default, "fruit", 10, Ct);

        Assert.Equal((Said, Said, 0),
            (saw.GetProperty("plain").GetString(), saw.GetProperty("streamed").GetString(), saw.GetProperty("usage").GetInt32()));
        Assert.Equal("""{"city":"Köln"}""", saw.GetProperty("call").GetProperty("arguments").GetString());
        Assert.Equal(400, saw.GetProperty("status").GetInt32());
        Assert.Contains("no such thing", saw.GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Contains("broke off", saw.GetProperty("cut").GetString(), StringComparison.Ordinal);
        Assert.Equal("named", saw.GetProperty("models")[0].GetString());
        Assert.Equal(8, saw.GetProperty("dimensions").GetInt32());
        Assert.Equal([Said, Said, """[{"name":"weather","arguments":{"city":"Köln"}}]""", null, "cut off"],
            spans.Select(span => span.Content.Output));
        Assert.Equal([Said, Said, "weather?", "x", "y"], spans.Select(span => span.Content.Input));
        Assert.Equal("upstream_refused: no such thing", spans[3].Content.Error);
        Assert.StartsWith("upstream_broken", spans[4].Content.Error, StringComparison.Ordinal);
        Assert.All(spans, span => Assert.Equal("npm", span.Content.Session));
    }

    [Fact]
    public async Task It_streams_tools_parses_structured_output_counts_usage_leaves_and_speaks_responses()
    {
        await using var gateway = await GatewayUnderTest.StartAsync(settings: ("Auth", "keys"));
        const string Response =
            """{"id":"resp_1","object":"response","created_at":1,"status":"completed","error":null,"model":"m","output":[{"id":"msg_1","type":"message","role":"assistant","status":"completed","content":[{"type":"output_text","text":"Hi there","annotations":[]}]}],"usage":{"input_tokens":5,"output_tokens":2,"total_tokens":7}}""";
        gateway.Provider.When(request => request.Path == "/v1/responses", request => request.Stream
            ? ModelReply.Sends(
                "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"delta\":\"Hi "
                    + "there\",\"item_id\":\"msg_1\",\"output_index\":0,\"content_index\":0,\"sequence_number\":1}\n\n"
                + "event: response.completed\ndata: {\"type\":\"response.completed\",\"sequence_number\":2,\"response\":" + Response
                + "}\n\n", "text/event-stream")
            : ModelReply.Sends(Response));
        gateway.Provider.Then(
            ModelReply.Calls("weather", """{"city":"Köln"}"""), ModelReply.Says("""{"city":"Ulm"}"""), ModelReply.Says("counted", 11, 5),
            ModelReply.Endless);
        var key = await gateway.KeyAsync();

        var saw = JsonElement.Parse(
            await RunAsync("node", Path.GetDirectoryName(SourceFile())!, "more.mjs", await ModulesAsync(),
                gateway.Server.Http.BaseAddress + "openai/v1", key));

        Assert.Equal(
            ("""{"city":"Köln"}""", "Ulm", 16, true, "Hi there", "Hi there", true, 401),
            (saw.GetProperty("call").GetString(), saw.GetProperty("city").GetString(), saw.GetProperty("usage").GetInt32(),
                saw.GetProperty("left").GetBoolean(),
                saw.GetProperty("response").GetString(), saw.GetProperty("deltas").GetString(), saw.GetProperty("completed").GetBoolean(),
                saw.GetProperty("refused").GetInt32()));
        Assert.Equal("json_schema", gateway.Provider.Requests[1].Body.GetProperty("response_format").GetProperty("type").GetString());
        await Eventually.IsAsync(async () => gateway.Provider.Abandoned > 0 && (await Left()).Count > 0, Ct);
        Assert.Equal(1, gateway.Provider.Abandoned);
        Assert.StartsWith("client_left", Assert.Single(await Left()).Content.Error, StringComparison.Ordinal);
        var spans = await gateway.Server.Store.Spans.AfterAsync(Core.Projects.ProjectId.Default, default, "more", 10, Ct);
        Assert.Equal(["""[{"name":"weather","arguments":{"city":"Köln"}}]""", """{"city":"Ulm"}""", "counted", "Hi there", "Hi there"],
            spans.Select(span => span.Content.Output));
        Assert.Equal((11, 5), (spans[2].Content.InputTokens, spans[2].Content.OutputTokens));
        var (status, feedback) = await gateway.Server.PostAsync(
            "/api/v1/feedback", new { name = "thumbs", value = true, response_id = "resp_1" }, ("Authorization", "Bearer " + key));
        Assert.Equal((200, spans[4].Key.Trace), (status, feedback.GetProperty("trace_id").GetString()));

        Task<IReadOnlyList<Core.Traces.Span>> Left() =>
            gateway.Server.Store.Spans.AfterAsync(Core.Projects.ProjectId.Default, default, "leaver", 10, Ct);
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
        var start = new ProcessStartInfo(
            program, arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Start(start);
        using var late = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        late.CancelAfter(Eventually.Limit);
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
            throw new InvalidOperationException(
                $"`{start.FileName}` is missing: install Node.js 18 or later with npm, as ./test does.", missing);
        }
    }

    static string SourceFile([CallerFilePath] string path = "") => path;
}
