using System.Text;
using System.Text.Json;
using Flywheel.Core;
using Flywheel.Server.Hosting;
using Flywheel.Storage.Tests;
using Flywheel.TestServer;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Flywheel.Server.Tests;

/// <summary>The real host in this process, on a free port and a database of its own.</summary>
public sealed class RunningServer : IAsyncDisposable
{
    readonly string _folder = TestFolder.New("test");
    WebApplication? _app;

    /// <summary>Unless the settings name another.</summary>
    public string Db => "sqlite:" + Path.Combine(_folder, "test.db");

    public HttpClient Http { get; private set; } = null!;
    public IServiceProvider Services => _app!.Services;
    public IFlywheelStore Store => Services.GetRequiredService<IFlywheelStore>();

    static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static async Task<RunningServer> StartAsync(params (string Key, string Value)[] settings)
    {
        var server = new RunningServer();
        var values = new Dictionary<string, string?>
        {
            ["Db"] = server.Db,
            ["Port"] = "0",
        };
        foreach (var (key, value) in settings)
            values[key] = value;
        if (values["Db"] == server.Db)
            await SqliteTemplate.CopyAsync(server.Db["sqlite:".Length..]);
        server._app = await FlywheelHost.BuildAsync(new ConfigurationBuilder().AddInMemoryCollection(values).Build(), Ct);
        await server._app.StartAsync(Ct);
        server.Http = new HttpClient(
            new SocketsHttpHandler { Expect100ContinueTimeout = TimeSpan.FromSeconds(30) }) { BaseAddress = new Uri(
                FlywheelHost.AddressOf(server._app)) };
        return server;
    }

    /// <summary>Posts raw JSON text, whatever it is.</summary>
    public async Task<(int Status, JsonElement Body)> PostAsync(string path, string json, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(
            HttpMethod.Post, path) { Content = new StringContent(json, Encoding.UTF8, "application/json") };
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        return await SendAsync(request);
    }

    public Task<(int Status, JsonElement Body)> PostAsync(string path, object body, params (string Name, string Value)[] headers) =>
        PostAsync(path, JsonSerializer.Serialize(body), headers);

    public Task<(int Status, JsonElement Body)> GetAsync(string path) => SendAsync(new HttpRequestMessage(HttpMethod.Get, path));

    public async Task<(int Status, JsonElement Body)> SendAsync(HttpRequestMessage request)
    {
        using var response = await Http.SendAsync(request, Ct);
        var text = await response.Content.ReadAsStringAsync(Ct);
        var body = text.StartsWith('{') || text.StartsWith('[') ? JsonDocument.Parse(text).RootElement : default;
        return ((int)response.StatusCode, body);
    }

    public async Task<(int Status, JsonElement Body)> AddSpansAsync(params object[] spans) =>
        await PostAsync("/api/v1/spans", new { spans });

    /// <summary>Asks again until the answer satisfies.</summary>
    public async Task<JsonElement> EventuallyAsync(string path, Func<JsonElement, bool> satisfied)
    {
        var (status, body) = (0, default(JsonElement));
        try
        {
            await Eventually.IsAsync(
                async () =>
                {
                    (status, body) = await GetAsync(path);
                    return status == 200 && satisfied(body);
                },
                Ct);
        }
        catch (TimeoutException)
        {
            Assert.Fail($"{path} still answers {status}: {body}");
        }
        return body;
    }

    public static object Span(
        string trace, string span, string node = "intent", string kind = "classifier", string? input = "hello", string? output = "general",
        string? startedAt = null) => new
    {
        trace_id = trace,
        span_id = span,
        node,
        kind,
        input,
        output,
        started_at = startedAt ?? DateTime.UtcNow.ToString("O"),
        duration_ms = 12.5,
    };

    public async ValueTask DisposeAsync()
    {
        Http?.Dispose();
        if (_app is not null)
        {
            await _app.StopAsync(CancellationToken.None);
            await _app.DisposeAsync();
        }
        Directory.Delete(_folder, recursive: true);
    }
}
