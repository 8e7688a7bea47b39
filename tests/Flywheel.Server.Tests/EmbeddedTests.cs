using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using ClientTour;
using Flywheel.Client;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;
using Flywheel.Engine.Embedded;
using Flywheel.Engine.Models.Offline;
using Flywheel.Storage;
using Flywheel.TestServer;
using Microsoft.Extensions.AI;

namespace Flywheel.Server.Tests;

/// <summary>The engine inside an application, with the workers that a server has.</summary>
public sealed class EmbeddedTests : IDisposable
{
    readonly string folder = Directory.CreateTempSubdirectory("flywheel-embedded-").FullName;

    static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    string Url(string name) => "sqlite:" + Path.Combine(folder, name);

    [Fact]
    public async Task Calls_are_recorded_and_validated_and_a_second_engine_goes_on_where_the_first_ended()
    {
        var faults = new List<string>();
        var options = new EmbeddedOptions { OnFault = (what, fault) => faults.Add($"{what}: {fault}") };
        SpanKey key;
        await using (var engine = await EmbeddedEngine.StartAsync(
            await FlywheelStore.OpenAsync(Url("a.db"), ct: Ct), options with { Work = false }, Ct))
        await using (var connection = new FlywheelConnection(engine))
        {
            await engine.Store.Metrics.AddAsync(
                ProjectId.Default,
                new("short", "Is it short?", MetricSubject.Output, null, null, 1,
                    new("length", JsonElement.Parse("""{"max":3,"unit":"characters"}""")), "ana"),
                expectNew: true, TimeProvider.System.GetUtcNow(), Ct);
            using var node = new OfflineChatClient().UseFlywheel(connection, "intent", NodeKind.Classifier);
            key = (await node.GetResponseAsync(
                [new(ChatRole.System, ShopModel.Intents), new(ChatRole.User, "refund me")], cancellationToken: Ct)).SpanKey()!.Value;
            await connection.FlushAsync(Ct);
            Assert.Equal(1, connection.Statistics.Recorded);
        }

        await using (var engine = await EmbeddedEngine.StartAsync(await FlywheelStore.OpenAsync(Url("a.db"), ct: Ct), options, Ct))
        {
            var span = await engine.Store.Spans.FindAsync(ProjectId.Default, key, Ct);
            IReadOnlyList<Verdict> verdicts = [];
            await Eventually.IsAsync(
                async () => (verdicts = await engine.Store.Verdicts.CurrentAsync(ProjectId.Default, [span!.Id], Ct)).Count > 0, Ct);
            Assert.Equal(Outcome.Fail, Assert.Single(verdicts).Finding.Outcome);
        }
        Assert.Empty(faults);
    }

    [Fact]
    public async Task A_span_whose_ids_are_taken_is_counted_as_rejected_and_the_others_are_kept()
    {
        var failures = new List<FlywheelFailure>();
        await using var engine = await EmbeddedEngine.StartAsync(
            await FlywheelStore.OpenAsync(Url("c.db"), ct: Ct), new() { Work = false }, Ct);
        await using var connection = new FlywheelConnection(engine, new() { OnFailure = failures.Add });
        using (var taken = FlywheelScope.Node("first", NodeKind.Tool, connection))
        {
            await engine.RecordAsync([new() { Key = taken.Key, Node = "other", StartedAt = TimeProvider.System.GetUtcNow() }], Ct);
            FlywheelScope.Node("second", NodeKind.Tool, connection).Dispose();
        }
        await connection.FlushAsync(Ct);

        Assert.Equal((1, 1, 0), (connection.Statistics.Recorded, connection.Statistics.Rejected, connection.Statistics.Pending));
        var failure = Assert.Single(failures);
        Assert.Equal(FlywheelFailureKind.Rejected, failure.Kind);
        Assert.StartsWith("span_conflict: Another span has", failure.Message);
    }

    [Fact]
    public async Task The_samples_run()
    {
        await using var server = await RunningServer.StartAsync();
        var address = server.Http.BaseAddress!;

        await RemoteSample.RunAsync(address, Ct);
        await AgentSample.RunAsync(address, Ct);
        await StepsSample.RunAsync(address, Ct);
        await FeedbackSample.RunAsync(address, Path.Combine(folder, "outbox"), Ct);
        await PromptsSample.RunAsync(address, Ct);
        await EmbeddedSample.RunAsync(Path.Combine(folder, "sample.db"), Ct);
        using (var stop = CancellationTokenSource.CreateLinkedTokenSource(Ct))
        {
            var url = $"http://127.0.0.1:{FreePort()}";
            var serving = AspNetCoreSample.RunAsync(address, ["--urls", url, "--Logging:LogLevel:Default=None"], stop.Token);
            Assert.Contains("\"span\":\"", await AskAsync(url + "/ask"), StringComparison.Ordinal);
            await stop.CancelAsync();
            await serving;
        }

        var nodes = (await server.Store.Spans.NodesAsync(ProjectId.Default, Ct)).Select(node => node.Node).Order();
        Assert.Equal(["agent", "intent", "order_status", "orders_query", "shelf_search", "support"], nodes);
        var intents = await server.Store.Spans.NewestAsync(ProjectId.Default, ["intent"], 10, Ct);
        Assert.Equal(4, intents.Count);
        Assert.Single(intents, span => span.Content.EndUser == "ada");
        Assert.Single(await server.Store.Corrections.ListAsync(ProjectId.Default, 10, Ct));
    }

    static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }

    static async Task<string> AskAsync(string url)
    {
        using var http = new HttpClient();
        http.DefaultRequestHeaders.Add("x-user", "ada");
        var answer = "";
        await Eventually.IsAsync(
            async () =>
            {
                try
                {
                    using var body = new StringContent("Why was I charged twice?");
                    answer = await (await http.PostAsync(url, body, Ct)).Content.ReadAsStringAsync(Ct);
                    return true;
                }
                catch (HttpRequestException)
                {
                    return false;
                }
            },
            Ct);
        return answer;
    }
}
