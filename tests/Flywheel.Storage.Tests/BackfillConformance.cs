using Flywheel.Core.Jobs;
using Flywheel.Core.Metrics;
using Flywheel.Core.Traces;

namespace Flywheel.Storage.Tests;

public abstract class BackfillConformance(ITestDatabases databases) : StoreConformance(databases)
{
    static IReadOnlyList<Pairing> Pair(PendingSpan span, IReadOnlyList<Metric> metrics) =>
        [.. metrics.Select(metric => new Pairing(
            metric, JobLane.Code, "v1",
            Applicability.WhyNot(metric, span.Node, span.Kind, span.Key) ?? Core.Metrics.Segments.WhyNot(metric, span.Segments)))];

    [Fact]
    public async Task Past_spans_are_queued_once_in_bounded_steps()
    {
        for (var i = 0; i < 7; i++)
            await SpanAsync();
        await SpanAsync(NewSpan(node: "other"));
        await FanOutAsync();
        var metric = await MetricAsync(NewMetric() with { Nodes = ["intent"] });
        var lateSpan = await SpanAsync();
        await FanOutAsync();

        var begun = await Store.Backfills.BeginAsync(Home, metric.VersionId, null, null, "ann", Noon, Ct);
        Assert.Equal((9, 0, null), (begun.Total, begun.Looked, begun.FinishedAt));
        Assert.Equal(4, await Store.Backfills.AdvanceAsync(4, Pair, Noon, Ct));
        Assert.Null((await Store.Backfills.FindAsync(Home, metric.VersionId, Ct))!.FinishedAt);
        while (await Store.Backfills.AdvanceAsync(4, Pair, Noon, Ct) > 0)
            continue;

        var done = (await Store.Backfills.FindAsync(Home, metric.VersionId, Ct))!;
        Assert.Equal((9, 7, 1, Noon), (done.Looked, done.Queued, done.Skipped, done.FinishedAt));
        // Seven of the past and the one that came after the metric.
        Assert.Equal(8, await Store.Backfills.WaitingAsync(Home, metric.VersionId, Ct));
        Assert.Contains(await ClaimAsync(), job => job.Span == lateSpan.Id);
        Assert.Equal("metric.backfill", (await Store.Audit.ListAsync(Home, 1, Ct))[0].Action);
    }

    [Fact]
    public async Task Again_has_no_second_effect_and_other_bounds_queue_only_what_is_missing()
    {
        for (var i = 0; i < 5; i++)
            await SpanAsync(NewSpan(at: Noon.AddHours(i)));
        await FanOutAsync();
        var metric = await MetricAsync();

        await Store.Backfills.BeginAsync(Home, metric.VersionId, Noon.AddHours(3), null, "ann", Noon, Ct);
        while (await Store.Backfills.AdvanceAsync(2, Pair, Noon, Ct) > 0)
            continue;
        Assert.Equal(2, await Store.Backfills.WaitingAsync(Home, metric.VersionId, Ct));
        var again = await Store.Backfills.BeginAsync(Home, metric.VersionId, Noon.AddHours(3), null, "bob", Noon, Ct);
        Assert.Equal(("ann", Noon), (again.Author, again.FinishedAt));
        Assert.Equal(0, await Store.Backfills.AdvanceAsync(2, Pair, Noon, Ct));

        await Store.Backfills.BeginAsync(Home, metric.VersionId, null, 2, "bob", Noon, Ct);
        while (await Store.Backfills.AdvanceAsync(2, Pair, Noon, Ct) > 0)
            continue;
        Assert.Equal(4, await Store.Backfills.WaitingAsync(Home, metric.VersionId, Ct));
        Assert.Equal(2, (await Store.Backfills.FindAsync(Home, metric.VersionId, Ct))!.Queued);
    }

    [Fact]
    public async Task Workers_at_once_share_a_back_fill_without_doing_a_span_twice()
    {
        for (var i = 0; i < 40; i++)
            await SpanAsync();
        await FanOutAsync();
        var metric = await MetricAsync();
        await using var other = await OpenAsync();
        await Store.Backfills.BeginAsync(Home, metric.VersionId, null, null, "ann", Noon, Ct);

        await Task.WhenAll(Enumerable.Range(0, 24).Select(i => (i % 2 == 0 ? Store : other).Backfills.AdvanceAsync(5, Pair, Noon, Ct)));

        var done = (await Store.Backfills.FindAsync(Home, metric.VersionId, Ct))!;
        Assert.Equal((40, 40, Noon), (done.Looked, done.Queued, done.FinishedAt));
        Assert.Equal(40, await Store.Backfills.WaitingAsync(Home, metric.VersionId, Ct));
    }

    [Fact]
    public async Task A_metric_for_a_segment_skips_the_others_with_the_reason()
    {
        var metric = await MetricAsync(NewMetric() with { Segments = ["tenant:acme", "user:42"] });
        var acme = await SpanAsync(NewSpan() with { Attributes = """{"tenant":"acme"}""" });
        var mine = await SpanAsync(NewSpan() with { EndUser = "42" });
        var beta = await SpanAsync(NewSpan() with { Attributes = """{"flywheel.segment":["beta","x"]}""" });
        var none = await SpanAsync();

        await Store.Jobs.FanOutAsync(100, Pair, Noon, Ct);

        Assert.Equal(["tenant:acme", "user:42"], metric.Segments);
        Assert.Equal([acme.Id, mine.Id],
            (await ClaimAsync()).Select(job => job.Span).Order(Comparer<SpanId>.Create((a, b) => a.Value.CompareTo(b.Value))));
        var skipped = await Store.Verdicts.CurrentAsync(Home, [beta.Id, none.Id], Ct);
        Assert.Equal(["not about segment beta, x", "not about spans without a segment"], skipped.Select(verdict => verdict.Finding.Reason));
    }

    [Fact]
    public async Task Right_classes_come_from_corrections_then_from_feedback()
    {
        var wrong = await SpanAsync();
        var confirmed = await SpanAsync();
        var named = await SpanAsync();
        await SpanAsync();
        var elsewhere = await SpanAsync(NewSpan(node: "other"));
        await Store.Corrections.AddAsync(Correction(wrong, "billing") with { CreatedAt = Noon }, Ct);
        await Store.Corrections.AddAsync(Correction(wrong, " delivery ") with { CreatedAt = Noon.AddHours(1) }, Ct);
        await Store.Corrections.AddAsync(Correction(confirmed, "tracking", wrong: null), Ct);
        await Store.Corrections.AddAsync(Correction(elsewhere, "billing"), Ct);
        foreach (var (span, name, value) in new[] { (wrong, "class", "\"tracking\""), (named, "class", "\"billing\""),
            (named, "thumbs", "\"up\""), (confirmed, "class", "1") })
            await Store.Feedback.AddAsync(
                new(Guid.CreateVersion7(), Home, span.Key.Trace, span.Key.Span, name, value, null, null, Noon), Ct);

        var found = await Store.Classification.OfNodeAsync(Home, "intent", "class", null, Ct);

        Assert.Equal(4, found.Spans);
        Assert.Equal((2, 1), (found.Sources.Corrections, found.Sources.Feedback));
        Assert.Equal(
            [("billing", "tracking", 1L), ("delivery", "tracking", 1L), ("tracking", "tracking", 1L)],
            found.Cells.Select(cell => (cell.Expected, cell.Predicted, cell.Count)).Order());
    }

    [Fact]
    public async Task The_newest_spans_come_first_whatever_their_node()
    {
        var spans = new List<Span>();
        foreach (var node in new[] { "a", "b", "a", "c" })
            spans.Add(await SpanAsync(NewSpan(node: node)));

        Assert.Equal([spans[3].Id, spans[2].Id], (await Store.Spans.NewestAsync(Home, null, 2, Ct)).Select(span => span.Id));
        Assert.Equal([spans[2].Id, spans[1].Id, spans[0].Id],
            (await Store.Spans.NewestAsync(Home, ["a", "b"], 10, Ct)).Select(span => span.Id));
    }
}
