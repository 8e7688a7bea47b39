using Flywheel.Core.Projects;
using Flywheel.Engine.Review;
using Flywheel.Storage.Tests;
using Microsoft.Extensions.Time.Testing;
using static Flywheel.Server.Tests.RunningServer;

namespace Flywheel.Server.Tests;

/// <summary>Metrics in code come before people again, with what changed, the same on both databases.</summary>
public abstract class MetricReviewTests(ITestDatabases databases)
{
    [Fact]
    public async Task A_metric_is_due_after_its_days_and_a_review_keeps_what_was_seen()
    {
        await using var server = await StartAsync(("Db", await databases.NewAsync()));
        await server.PostAsync("/api/v1/metrics", """{"name":"brief","criterion":"Brief?","validator":{"kind":"length","max":20}}""");
        await server.PostAsync("/api/v1/metrics", """{"name":"kind","criterion":"Kind?","validator":{"kind":"judge"}}""");
        await server.AddSpansAsync([.. Enumerable.Range(0, 30).Select(i => Span($"a{i}", "s", output: "short"))]);
        await server.EventuallyAsync(
            "/api/v1/metrics/brief/reviews", body =>
                body.GetProperty("evidence").GetProperty("then").GetProperty("texts").GetInt32() == 30);

        var (none, early) = await server.GetAsync("/api/v1/review");
        var (kept, review) = await server.PostAsync(
            "/api/v1/metrics/brief/reviews", """{"decision":"keep","note":"fine","author":"ana"}""");
        await server.AddSpansAsync(
            [.. Enumerable.Range(0, 30).Select(i => Span($"b{i}", "s", output: "by now the answers are all rather long"))]);
        var seen = await server.EventuallyAsync(
            "/api/v1/metrics/brief/reviews", body => body.GetProperty("evidence").GetProperty("now").GetProperty("texts").GetInt32() == 30);
        var later = new MetricReviewService(
            server.Store.MetricReviews, server.Store.Metrics, new FakeTimeProvider(DateTimeOffset.UtcNow.AddDays(91)));
        var due = await later.DueAsync(ProjectId.Default, TestContext.Current.CancellationToken);

        Assert.Equal((200, 0, 201), (none, early.GetProperty("metrics").GetArrayLength(), kept));
        Assert.Equal((1, "keep", "ana"),
            (review.GetProperty("number").GetInt32(), review.GetProperty("decision").GetString(),
                review.GetProperty("author").GetString()));
        Assert.Contains("the pass rate went from 100 % (89-100) to 0 % (0-11)", seen.GetRawText(), StringComparison.Ordinal);
        Assert.Contains("the texts read differently", seen.GetRawText(), StringComparison.Ordinal);
        Assert.Equal("fine", seen.GetProperty("reviews")[0].GetProperty("note").GetString());
        var metric = Assert.Single(due);
        Assert.Equal(("brief", true), (metric.Schedule.Metric.Name, metric.Overdue));
        Assert.NotEmpty(metric.Evidence!.Changes);
        Assert.Empty(await new MetricReviewService(
            server.Store.MetricReviews, server.Store.Metrics, new FakeTimeProvider(DateTimeOffset.UtcNow.AddDays(89)))
                .DueAsync(ProjectId.Default, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Days_can_be_set_for_one_metric_or_all_and_retiring_ends_it()
    {
        await using var server = await StartAsync(("Db", await databases.NewAsync()));
        await server.PostAsync("/api/v1/metrics", """{"name":"brief","criterion":"Brief?","validator":{"kind":"length","max":20}}""");
        await server.PostAsync(
            "/api/v1/metrics", """{"name":"plain","criterion":"Plain?","validator":{"kind":"absent","words":["delve"]}}""");

        var (all, _) = await PutAsync(server, "/api/v1/metric-reviews", """{"every_days":30}""");
        var (own, _) = await PutAsync(server, "/api/v1/metrics/brief/reviews", """{"every_days":7}""");
        var (bad, problem) = await PutAsync(server, "/api/v1/metrics/brief/reviews", """{"every_days":-1}""");
        var (_, list) = await server.GetAsync("/api/v1/metric-reviews");
        var (retired, _) = await server.PostAsync("/api/v1/metrics/brief/reviews", """{"decision":"retire"}""");
        var (again, refusal) = await server.PostAsync("/api/v1/metrics/brief/reviews", """{"decision":"keep"}""");
        var (unknown, _) = await server.PostAsync("/api/v1/metrics/plain/reviews", """{"decision":"perhaps"}""");

        Assert.Equal((200, 200, 400, 201, 409, 400), (all, own, bad, retired, again, unknown));
        Assert.Equal("every_days", problem.GetProperty("field").GetString());
        Assert.Equal([("brief", 7), ("plain", 30)],
            list.GetProperty("metrics").EnumerateArray()
                .Select(each => (each.GetProperty("metric").GetString(), each.GetProperty("every_days").GetInt32())));
        Assert.Contains("only active metrics", refusal.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Equal("retired", (await server.GetAsync("/api/v1/metrics/brief")).Body.GetProperty("state").GetString());
    }

    static Task<(int Status, System.Text.Json.JsonElement Body)> PutAsync(RunningServer server, string path, string json) =>
        server.SendAsync(new HttpRequestMessage(
            HttpMethod.Put, path) { Content = new StringContent(json, System.Text.Encoding.UTF8, "application/json") });
}

public sealed class MetricReviewsOnSqlite(SqliteFiles files) : MetricReviewTests(files);

public sealed class MetricReviewsOnPostgres(PostgresCluster cluster) : MetricReviewTests(cluster);
