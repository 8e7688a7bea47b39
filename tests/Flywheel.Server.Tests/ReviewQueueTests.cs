using System.Text.Json;
using static Flywheel.Server.Tests.RunningServer;

namespace Flywheel.Server.Tests;

/// <summary>Several people at one review queue, over HTTP.</summary>
public sealed class ReviewQueueTests
{
    static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>Answers that are all too long.</summary>
    static async Task<RunningServer> FailingAsync(int spans, int labelsPerItem = 1)
    {
        var server = await StartAsync();
        var project = (await server.Store.Projects.FindAsync("default", Ct))!;
        await server.Store.Projects.SetLimitsAsync(project.Id, null, null, 0, Ct);
        var (status, body) = await server.PostAsync(
            "/api/v1/metrics", new { name = "short", criterion = "Is it short?", validator = new { kind = "length", max = 2 },
                labels_per_item = labelsPerItem });
        Assert.Equal((201, labelsPerItem), (status, body.GetProperty("labels_per_item").GetInt32()));
        await server.AddSpansAsync([.. Enumerable.Range(0, spans).Select(i => Span($"t{i}", "s", node: "answer", kind: "writer"))]);
        await server.EventuallyAsync(
            "/api/v1/review?metric=short&limit=200", queue => queue.GetProperty("items").GetArrayLength() == spans);
        return server;
    }

    static async Task<string[]> IdsAsync(RunningServer server, string query)
    {
        var (status, body) = await server.GetAsync("/api/v1/review?metric=short&" + query);
        Assert.True(status == 200, body.ToString());
        return [.. body.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("id").GetString()!)];
    }

    static Task<(int Status, JsonElement Body)> LabelAsync(
        RunningServer server, string trace, bool passed, string author, bool adjudicate = false) =>
        server.PostAsync("/api/v1/labels", new { trace_id = trace, span_id = "s", metric = "short", passed, author, adjudicate });

    [Fact]
    public async Task People_who_ask_at_once_get_different_items_and_all_items_are_given_out()
    {
        await using var server = await FailingAsync(60);

        var pages = await Task.WhenAll(Enumerable.Range(0, 6).Select(i => IdsAsync(server, $"author=p{i}&reserve=10m&limit=10")));
        var again = await IdsAsync(server, "author=p0&limit=100");
        var late = await IdsAsync(server, "author=late&reserve=10m&limit=100");
        var overview = (await server.GetAsync("/api/v1/review?limit=100")).Body.GetProperty("items");

        var taken = pages.SelectMany(page => page).ToArray();
        Assert.Equal(taken.Length, taken.Distinct().Count());
        // Whoever lost a race got a shorter page; what is left goes to the next.
        Assert.All(pages, page => Assert.NotEmpty(page));
        Assert.Equal(60, taken.Concat(late).Distinct().Count());
        Assert.Subset(again.ToHashSet(), pages[0].ToHashSet());
        Assert.All(overview.EnumerateArray(), item => Assert.NotEqual(JsonValueKind.Null, item.GetProperty("reserved_by").ValueKind));
    }

    [Fact]
    public async Task An_item_is_held_given_back_and_refused_to_others()
    {
        await using var server = await FailingAsync(1);
        var id = Assert.Single(await IdsAsync(server, ""));

        var (taken, hold) = await server.PostAsync($"/api/v1/review/{id}/reserve", new { author = "ann", @for = "1h" });
        var (refused, problem) = await server.PostAsync($"/api/v1/review/{id}/reserve", new { author = "bob" });

        Assert.Equal((200, "ann"), (taken, hold.GetProperty("author").GetString()));
        Assert.InRange(hold.GetProperty("until").GetDateTimeOffset() - DateTimeOffset.UtcNow, TimeSpan.FromMinutes(58),
            TimeSpan.FromMinutes(61));
        Assert.Equal((409, "reserved", "ann"),
            (refused, problem.GetProperty("code").GetString(), problem.GetProperty("reserved_by").GetString()));
        Assert.Empty(await IdsAsync(server, "author=bob"));
        async Task<int> ReleaseAsync(string author) =>
            (await server.SendAsync(new HttpRequestMessage(HttpMethod.Delete, $"/api/v1/review/{id}/reserve?author={author}"))).Status;
        Assert.Equal(404, await ReleaseAsync("bob"));
        Assert.Equal(204, await ReleaseAsync("ann"));
        Assert.Single(await IdsAsync(server, "author=bob"));

        Assert.Equal((400, "invalid_for"), Code(await server.PostAsync($"/api/v1/review/{id}/reserve", new { @for = "ten minutes" })));
        Assert.Equal((400, "invalid_for"), Code(await server.PostAsync($"/api/v1/review/{id}/reserve", new { @for = "48h" })));
        Assert.Equal((404, "unknown_item"), Code(await server.PostAsync("/api/v1/review/999-1/reserve", new { })));
        Assert.Equal((404, "unknown_item"), Code(await server.PostAsync("/api/v1/review/x/reserve", new { })));
        Assert.Equal((400, "invalid_reserve"), Code(await server.GetAsync("/api/v1/review?reserve=0s")));
    }

    [Fact]
    public async Task Two_people_are_asked_and_a_third_decides_where_they_differ()
    {
        await using var server = await FailingAsync(1, labelsPerItem: 2);

        Assert.Equal((409, "no_dispute"), Code(await LabelAsync(server, "t0", true, "cleo", adjudicate: true)));
        Assert.Equal(200, (await LabelAsync(server, "t0", false, "ann")).Status);
        Assert.Empty(await IdsAsync(server, "author=ann"));
        Assert.Single(await IdsAsync(server, "author=bob"));
        Assert.Equal(200, (await LabelAsync(server, "t0", true, "bob")).Status);
        var dispute = (await server.GetAsync("/api/v1/review?reason=adjudicate&author=cleo")).Body.GetProperty("items");
        Assert.Equal(("adjudicate", "2 people differ"),
            (dispute[0].GetProperty("reason").GetString(), dispute[0].GetProperty("detail").GetString()));

        var (status, label) = await LabelAsync(server, "t0", false, "cleo", adjudicate: true);

        Assert.True(status == 200 && label.GetProperty("adjudicates").GetBoolean(), label.ToString());
        Assert.Empty(await IdsAsync(server, ""));
        var rates = (await server.GetAsync("/api/v1/metrics/short/summary")).Body.GetProperty("versions")[0]
            .GetProperty("labelled_pass_rate");
        Assert.Equal((0, 1), (rates.GetProperty("value").GetDouble(), rates.GetProperty("n").GetInt32()));
        var people = (await server.GetAsync("/api/v1/metrics/short/alignment")).Body.GetProperty("humans");
        Assert.Equal((1, 2), (people.GetProperty("items").GetInt32(), people.GetProperty("labels").GetInt32()));
    }

    [Fact]
    public async Task Settings_that_cannot_work_are_refused()
    {
        await using var server = await StartAsync();

        var (status, body) = await server.PostAsync(
            "/api/v1/metrics", new { name = "short", criterion = "Is it short?", validator = new { kind = "length", max = 2 },
                labels_per_item = 10 });
        Assert.Equal(400, status);
        Assert.Contains("`labels_per_item` is 10: ask 1 to 9 people", body.ToString(), StringComparison.Ordinal);
        Assert.Equal((400, "invalid_reason"), Code(await server.GetAsync("/api/v1/review?blind=true&reason=low-score")));
    }

    [Fact]
    public async Task Whoever_labels_blind_sees_no_verdict_of_a_judge_in_the_trace()
    {
        await using var server = await StartAsync();
        await server.PostAsync("/api/v1/metrics", new { name = "polite", criterion = "Is it polite?", validator = new { kind = "judge" } });
        await server.PostAsync(
            "/api/v1/metrics", new { name = "short", criterion = "Is it short?", validator = new { kind = "length", max = 2 } });
        await server.AddSpansAsync(Span("t", "s", node: "answer", kind: "writer"));
        var open = await server.EventuallyAsync(
            "/api/v1/traces/t", trace => trace.GetProperty("spans")[0].GetProperty("verdicts").GetArrayLength() == 2);
        await server.PostAsync("/api/v1/labels", new { trace_id = "t", span_id = "s", metric = "polite", passed = true });

        var blind = (await server.GetAsync("/api/v1/traces/t?blind=true")).Body;

        Assert.False(open.GetProperty("withheld").GetBoolean());
        Assert.True(blind.GetProperty("withheld").GetBoolean());
        Assert.Equal(["short"],
            blind.GetProperty("spans")[0].GetProperty("verdicts").EnumerateArray()
                .Select(verdict => verdict.GetProperty("metric").GetString()));
        Assert.Equal(0, blind.GetProperty("spans")[0].GetProperty("labels").GetArrayLength());
    }

    static (int, string?) Code((int Status, JsonElement Body) answer) => (answer.Status, answer.Body.GetProperty("code").GetString());
}
