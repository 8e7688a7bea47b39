using System.Collections.Concurrent;
using System.Net;
using Flywheel.Core;
using Flywheel.Engine.Telemetry;
using Flywheel.Engine.Telemetry.Otlp;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;

namespace Flywheel.Server.Tests.Telemetry;

/// <summary>Our verdicts, on their way to another viewer.</summary>
public sealed class EvaluationExportTests
{
    const string Trace = "0af7651916cd43dd8448eb211c80319c";

    static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Verdicts_reach_another_server_as_events_of_the_judged_span()
    {
        await using var other = await RunningServer.StartAsync();
        await using var server = await RunningServer.StartAsync(("EvaluationExport:Endpoint", other.Http.BaseAddress!.ToString()));
        await server.PostAsync(
            "/api/v1/metrics", """{"name":"answer.short","criterion":"Is it short?","validator":{"kind":"length","max":10}}""");
        var spans = Otlp.Request(
            Otlp.Span(Trace, "00f067aa0ba902b7", "chat", null, ("gen_ai.operation.name", "chat"), ("output.value", "It is a long answer."),
                ("gen_ai.response.id", "resp-1")));
        await Otlp.SendAsync(other.Http, "/v1/traces", spans, Otlp.Json);
        await Task.Delay(1_200, Ct);
        await Otlp.SendAsync(server.Http, "/v1/traces", spans, Otlp.Json);

        var seen = await other.EventuallyAsync(
            $"/api/v1/traces/{Trace}", body => body.GetProperty("spans")[0].GetProperty("verdicts").GetArrayLength() == 1);
        var verdict = seen.GetProperty("spans")[0].GetProperty("verdicts")[0];
        Assert.Equal(("answer.short", "fail"), (verdict.GetProperty("metric").GetString(), verdict.GetProperty("outcome").GetString()));
        Assert.StartsWith("external:length-1-", verdict.GetProperty("validator_version").GetString(), StringComparison.Ordinal);
        Assert.Contains("more than 10", verdict.GetProperty("reason").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_is_lost_to_faults_and_what_is_refused_does_not_hold_up_the_rest()
    {
        await using var receiver = await Receiver.StartAsync();
        await using var server = await RunningServer.StartAsync(("Work", "false"));
        await server.PostAsync("/api/v1/metrics", """{"name":"short","criterion":"Is it short?","validator":{"kind":"length","max":10}}""");
        var clock = new Microsoft.Extensions.Time.Testing.FakeTimeProvider(DateTimeOffset.UtcNow);
        var warnings = new List<string>();
        var options = new EvaluationExportOptions(
            receiver.Address, new Dictionary<string, string> { ["x-api-key"] = "secret" }, ["default"]);
        using var export = new EvaluationExport(server.Store, options, clock, warnings.Add);
        await export.StartAsync(Ct);
        await server.AddSpansAsync([
            .. Enumerable.Range(0, 10).Select(i => RunningServer.Span(Trace, $"{i + 1:x16}")),
            RunningServer.Span(Trace, $"{99:x16}", output: "poison"),
            RunningServer.Span("no-otlp-id", "s"),
        ]);
        var worker = server.Services.GetRequiredService<Engine.Jobs.MetricWorker>();
        var waiting = 0;
        for (var turn = 0; turn < 100 && waiting < 12; turn++)
        {
            await worker.RunOnceAsync(Ct);
            // A lease in the past holds nothing.
            waiting = (await server.Store.Outbox.TakeAsync(
                100, DateTimeOffset.UnixEpoch.AddDays(1), DateTimeOffset.UnixEpoch.AddDays(1), Ct)).Count;
        }
        Assert.Equal(12, waiting);
        receiver.Poison = $"{99:x16}";

        receiver.Answers.Enqueue((503, null));
        Assert.Equal(0, await export.RunOnceAsync(Ct));
        Assert.Equal(0, await export.RunOnceAsync(Ct));
        Assert.Equal(1, receiver.Requests);
        clock.Advance(TimeSpan.FromSeconds(2));
        receiver.Answers.Enqueue((429, "30"));
        Assert.Equal(0, await export.RunOnceAsync(Ct));
        clock.Advance(TimeSpan.FromSeconds(29));
        Assert.Equal(0, await export.RunOnceAsync(Ct));
        Assert.Equal(2, receiver.Requests);
        clock.Advance(TimeSpan.FromSeconds(2));
        receiver.Answers.Enqueue((0, null));
        Assert.Equal(0, await export.RunOnceAsync(Ct));
        clock.Advance(TimeSpan.FromMinutes(2));
        receiver.Answers.Enqueue((401, null));
        Assert.Equal(0, await export.RunOnceAsync(Ct));
        clock.Advance(TimeSpan.FromMinutes(2));

        // The process ends here; the next one finds what waits.
        using var again = new EvaluationExport(server.Store, options, clock, warnings.Add);
        Assert.Equal(10, await again.RunOnceAsync(Ct));
        Assert.Equal(Enumerable.Range(0, 10).Select(i => $"{i + 1:x16}"), receiver.Spans.Order());
        Assert.Equal((10, 2), (again.Sent, again.Dropped + export.Dropped));
        Assert.All(receiver.Keys, key => Assert.Equal("secret", key));
        Assert.Equal(0, await again.RunOnceAsync(Ct));
        Assert.Contains(warnings, warning => warning.Contains("answered 503", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("EvaluationExport:Endpoint", "ftp://x")]
    [InlineData("EvaluationExport:Endpoint", "http://user:pass@x")]
    [InlineData("EvaluationExport:Adress", "http://x")]
    [InlineData("Mcp:CallsPerMinute", "many")]
    [InlineData("Mcp:CallPerMinute", "3")]
    public async Task Settings_that_cannot_work_stop_the_start(string key, string value) =>
        await Assert.ThrowsAsync<FlywheelException>(() => RunningServer.StartAsync((key, value)));

    /// <summary>An OTLP receiver that fails as told.</summary>
    sealed class Receiver : IAsyncDisposable
    {
        WebApplication _app = null!;

        public Uri Address { get; private set; } = null!;
        public ConcurrentQueue<(int Status, string? RetryAfter)> Answers { get; } = new();
        public ConcurrentQueue<string> Spans { get; } = new();
        public ConcurrentQueue<string?> Keys { get; } = new();
        public int Requests { get; private set; }

        /// <summary>A batch with this span is refused as a whole.</summary>
        public string? Poison { get; set; }

        public static async Task<Receiver> StartAsync()
        {
            var receiver = new Receiver();
            var builder = WebApplication.CreateSlimBuilder();
            builder.WebHost.UseUrls("http://127.0.0.1:0");
            receiver._app = builder.Build();
            receiver._app.MapPost("/v1/logs", receiver.TakeAsync);
            await receiver._app.StartAsync(Ct);
            receiver.Address = new Uri(receiver._app.Urls.First());
            return receiver;
        }

        async Task TakeAsync(HttpContext http)
        {
            Requests++;
            Keys.Enqueue(http.Request.Headers["x-api-key"]);
            if (Answers.TryDequeue(out var answer))
            {
                if (answer.Status == 0)
                {
                    http.Abort();
                    return;
                }
                http.Response.StatusCode = answer.Status;
                if (answer.RetryAfter is not null)
                    http.Response.Headers.RetryAfter = answer.RetryAfter;
                return;
            }
            using var body = new MemoryStream();
            await http.Request.Body.CopyToAsync(body);
            var batch = OtlpProtobuf.Logs(body.ToArray());
            if (batch.Items.Any(item => item.Span == Poison))
            {
                http.Response.StatusCode = (int)HttpStatusCode.BadRequest;
                return;
            }
            foreach (var item in batch.Items)
                Spans.Enqueue(item.Span!);
        }

        public async ValueTask DisposeAsync() => await _app.DisposeAsync();
    }
}
