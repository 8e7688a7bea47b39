using Flywheel.Storage.Tests;
using static Flywheel.Server.Tests.RunningServer;

namespace Flywheel.Server.Tests;

/// <summary>What is ordinary is proposed from traffic and counts once a person approved it, the same on both databases.</summary>
public abstract class ReferenceTests(ITestDatabases databases)
{
    [Fact]
    public async Task Unusual_inputs_fail_once_a_person_approved_what_is_usual()
    {
        await using var server = await RunningServer.StartAsync(("Db", await databases.NewAsync()));
        var (created, _) = await server.PostAsync("/api/v1/metrics",
            """{"name":"usual","criterion":"Is this what we are asked?","validator":{"kind":"input.anomaly"}}""");
        await server.AddSpansAsync(Span("t0", "s", input: "where is my parcel"));
        var (early, problem) = await server.PostAsync("/api/v1/metrics/usual/reference", "{}");
        await server.AddSpansAsync(
            [.. Enumerable.Range(0, 60).Select(i => Span($"t{i + 1}", "s", input: $"where is my parcel number {i}"))]);

        var (proposed, proposal) = await server.PostAsync("/api/v1/metrics/usual/reference", """{"author":"ana"}""");
        var (approved, decision) = await server.PostAsync("/api/v1/metrics/usual/reference/1/approve", """{"author":"ben"}""");
        await Task.Delay(1100, TestContext.Current.CancellationToken);
        await server.AddSpansAsync(
            Span("odd", "s", input: "compose a sonnet about volcanoes"), Span("even", "s", input: "where is my parcel number 7"));
        var odd = await OutcomeAsync(server, "odd");
        var even = await OutcomeAsync(server, "even");

        Assert.Equal((201, 409, 201, 200), (created, early, proposed, approved));
        Assert.Contains("needs at least 40", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Equal(61, proposal.GetProperty("inputs").GetInt32());
        Assert.NotEqual(0, proposal.GetProperty("sample").GetArrayLength());
        Assert.Equal(("approved", "ben"), (decision.GetProperty("state").GetString(), decision.GetProperty("decided_by").GetString()));
        Assert.Equal(("fail", "pass"), (odd, even));
        Assert.Equal(404, (await server.PostAsync("/api/v1/metrics/usual/reference/1/approve", "{}")).Status);
        Assert.Equal(1, (await server.GetAsync("/api/v1/metrics/usual/reference")).Body.GetProperty("references").GetArrayLength());
    }

    [Fact]
    public async Task A_detector_that_cannot_work_is_refused_when_saved()
    {
        await using var server = await RunningServer.StartAsync(("Db", await databases.NewAsync()));

        var (status, problem) = await server.PostAsync("/api/v1/metrics",
            """{"name":"scope","criterion":"On topic?","validator":{"kind":"input.topic","topics":[{"topic":"billing","text":"my invoice"}]}}""");
        var (file, refused) = await server.PostAsync("/api/v1/metrics",
            """{"name":"scope","criterion":"On topic?","validator":{"kind":"input.topic","topics":"/etc/passwd"}}""");

        Assert.Equal((400, 400), (status, file));
        Assert.Contains("at least two example inputs", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Contains("command line only", refused.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    static async Task<string?> OutcomeAsync(RunningServer server, string trace) =>
        (await server.EventuallyAsync(
            $"/api/v1/traces/{trace}", body => body.GetProperty("spans")[0].GetProperty("verdicts").GetArrayLength() == 1))
            .GetProperty("spans")[0].GetProperty("verdicts")[0].GetProperty("outcome").GetString();
}

public sealed class ReferencesOnSqlite(SqliteFiles files) : ReferenceTests(files);

public sealed class ReferencesOnPostgres(PostgresCluster cluster) : ReferenceTests(cluster);
