using System.Diagnostics;
using System.Text.Json;
using Flywheel.Core.Judging;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Flywheel.Server.Tests.SameAnswers;

/// <summary>A server with something to be mistaken about, and its doors.</summary>
public sealed class SameAnswerServer : IAsyncLifetime
{
    readonly string _folder = Directory.CreateTempSubdirectory("flywheel-answers-").FullName;
    RunningServer _server = null!;
    McpClient _agent = null!;

    public IServiceProvider Services => _server.Services;

    static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = await RunningServer.StartAsync(("Work", "false"));
        await _server.AddSpansAsync(
            RunningServer.Span("t", "s", "answer", "writer"), RunningServer.Span("t", "served", "answer", "writer"));
        foreach (var (name, state) in new[] { ("short", "active"), ("new", "proposed") })
            await _server.PostAsync(
                "/api/v1/metrics", new { name, state, criterion = "Is it short?", validator = new { kind = "length", max = 9 } });
        var span = (await _server.Store.Spans.FindAsync(ProjectId.Default, new("t", "served"), Ct))!;
        var metric = (await _server.Store.Metrics.FindAsync(ProjectId.Default, "short", Ct))!;
        await _server.Store.Serving.ServeAsync(
            ProjectId.Default, [new(span.Id, metric.Id, ServedMode.Suggested, "v", Outcome.Pass)], DateTimeOffset.UtcNow, Ct);
        await WriteAsync("label", """{"type":"label","trace_id":"t","span_id":"served","metric":"short","passed":true,"mode":"blind"}""");
        await WriteAsync("correction", """{"type":"correction","trace_id":"t","span_id":"none","corrected_output":"better"}""");
        await WriteAsync("feedback", """{"type":"feedback","trace_id":"t","name":"thumbs","value":[]}""");
        _agent = await McpClient.CreateAsync(
            new HttpClientTransport(new HttpClientTransportOptions
            {
                Endpoint = new Uri(_server.Http.BaseAddress!, "/mcp"), TransportMode = HttpTransportMode.StreamableHttp,
            }),
            cancellationToken: Ct);
    }

    /// <summary>A file that a command may name.</summary>
    Task WriteAsync(string name, string row) => File.WriteAllTextAsync(Path.Combine(_folder, name + ".jsonl"), row, Ct);

    /// <param name="request">Method and path.</param>
    public Task<(int Status, JsonElement Body)> RequestAsync(string request, string? body)
    {
        var (method, path) = (request.Split(' ')[0], request.Split(' ')[1]);
        return _server.SendAsync(new HttpRequestMessage(new HttpMethod(method), path)
        {
            Content = body is null ? null : new StringContent(body, System.Text.Encoding.UTF8, "application/json"),
        });
    }

    public async Task<CallToolResult> CallAsync(string tool, string arguments) => await _agent.CallToolAsync(
        tool, JsonElement.Parse(arguments).EnumerateObject().ToDictionary(each => each.Name, each => (object?)each.Value),
        cancellationToken: Ct);

    /// <summary>Runs a command as a process of its own over the server's database.</summary>
    public async Task<(int Exit, string Errors)> RunAsync(string command)
    {
        var start = new ProcessStartInfo("dotnet")
        {
            WorkingDirectory = _folder, RedirectStandardOutput = true, RedirectStandardError = true,
            ArgumentList = { Path.Combine(AppContext.BaseDirectory, "flywheel.dll") },
        };
        foreach (var argument in command.Split(' '))
            start.ArgumentList.Add(argument);
        start.ArgumentList.Add("--db");
        start.ArgumentList.Add(_server.Db);
        using var process = Process.Start(start)!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(Ct), process.StandardError.ReadToEndAsync(Ct));
        await process.WaitForExitAsync(Ct);
        await output;
        return (process.ExitCode, await errors);
    }

    public async ValueTask DisposeAsync()
    {
        await _agent.DisposeAsync();
        await _server.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
