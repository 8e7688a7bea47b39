using Flywheel.Core.Traces;

namespace Flywheel.Storage.Tests;

public abstract class SpanConformance(ITestDatabases databases) : StoreConformance(databases)
{
    [Fact]
    public async Task The_nodes_are_listed_once_with_the_kind_of_their_newest_span()
    {
        Assert.Empty(await Store.Spans.NodesAsync(Home, Ct));
        foreach (var (node, kind) in new[] { ("b", NodeKind.Writer), ("a", NodeKind.Other), ("a", NodeKind.Classifier),
            ("b", NodeKind.Writer) })
            await SpanAsync(NewSpan() with { Node = node, Kind = kind });

        Assert.Equal([("a", NodeKind.Classifier), ("b", NodeKind.Writer)], await Store.Spans.NodesAsync(Home, Ct));
        Assert.Empty(await Store.Spans.NodesAsync(new(2), Ct));
    }

    [Fact]
    public async Task A_span_comes_back_with_every_field()
    {
        var span = NewSpan() with
        {
            ParentId = "root",
            Error = "timed out",
            Session = "s",
            EndUser = "u",
            Model = "m",
            InputTokens = 7,
            OutputTokens = 9,
            CostUsd = 0.0125,
            Attributes = """{"z":1,"a":[null,"é"]}""",
            Demonstrations = [Guid.NewGuid(), Guid.NewGuid()],
            Input = "päckchen 📦\n",
            Output = "",
            StartedAt = Noon.AddTicks(12_340),
        };

        Assert.Equal([SpanInsertResult.Stored], await Store.AddRawSpansAsync(Home, [span], Noon.AddMinutes(1), Ct));

        var stored = await Store.Spans.FindAsync(Home, span.Key, Ct);
        Assert.Equal(span.Demonstrations, stored!.Content.Demonstrations);
        Assert.Equal(span with { Demonstrations = stored.Content.Demonstrations }, stored.Content);
        Assert.Equal(Noon.AddMinutes(1), stored.ReceivedAt);
        Assert.Equal(Home, stored.Project);
    }

    [Fact]
    public async Task Missing_fields_stay_missing()
    {
        var span = NewSpan() with { Input = null, Output = null };

        var stored = await SpanAsync(span);

        Assert.Equal(span with { Demonstrations = stored.Content.Demonstrations }, stored.Content);
        Assert.Empty(stored.Content.Demonstrations);
    }

    [Fact]
    public async Task Rows_of_a_batch_take_nothing_from_the_row_before()
    {
        // Every way from one row to the next: filled and empty and missing, equal and different, short and long.
        string?[] texts = [null, "", "a", "a", null, "a", "b", new('x', 100), new('x', 100), "", null, new('世', 9_000), "ü", null];
        var spans = texts.Select((text, i) => NewSpan("one") with
        {
            ParentId = text is "a" or "b" ? text : null,
            Session = text is { Length: > 0 and <= 100 } ? text : null,
            EndUser = text is "a" ? "user" : null,
            Model = text is "ü" or "a" ? text : null,
            Error = text,
            Input = text,
            Output = texts[^(i + 1)],
            Attributes = text is null ? null : $$"""{"gen_ai.response.id":"r{{i / 2}}","text":"{{text}}"}""",
            InputTokens = i % 3 == 0 ? null : i / 3,
            OutputTokens = i % 2 == 0 ? 5 : null,
            CostUsd = i % 4 < 2 ? null : 0.5,
            Demonstrations = i % 5 == 0 ? [Guid.NewGuid()] : [],
            DurationMs = i,
        }).ToArray();

        // Twice, for what the first batch left behind.
        foreach (var batch in new[] { spans, [.. spans.Reverse().Select(span => span with { Key = new("two", span.Key.Span) })] })
        {
            Assert.All(await Store.AddRawSpansAsync(Home, batch, Noon, Ct), fate => Assert.Equal(SpanInsertResult.Stored, fate));

            var stored = await Store.Spans.TraceAsync(Home, batch[0].Key.Trace, Ct);
            Assert.Equal(batch.Length, stored.Count);
            foreach (var (sent, kept) in batch.Zip(stored.OrderBy(span => span.Id.Value)))
            {
                Assert.Equal(sent.Demonstrations, kept.Content.Demonstrations);
                Assert.Equal(sent with { Demonstrations = kept.Content.Demonstrations }, kept.Content);
            }
        }
    }

    [Fact]
    public async Task A_large_batch_that_was_partly_sent_before_stores_the_rest()
    {
        var spans = Enumerable.Range(0, 300).Select(_ => NewSpan() with { Input = new('q', 2_000) }).ToArray();
        await Store.AddRawSpansAsync(Home, [.. spans.Where((_, i) => i % 3 == 0)], Noon, Ct);

        var fates = await Store.AddRawSpansAsync(
            Home, [.. spans.Select((span, i) => i % 9 == 0 ? span with { Output = "other" } : span)], Noon, Ct);

        Assert.Equal(spans.Select(
            (_, i) => i % 9 == 0 ? SpanInsertResult.Conflicting : i % 3 == 0 ? SpanInsertResult.Repeated : SpanInsertResult.Stored), fates);
        Assert.Equal(300, await Store.Spans.CountAsync(Home, Ct));
        Assert.All(await Store.AddRawSpansAsync(Home, spans, Noon, Ct), fate => Assert.Equal(SpanInsertResult.Repeated, fate));
    }

    [Fact]
    public async Task A_repeat_is_acknowledged_and_other_content_conflicts()
    {
        var (first, second) = (NewSpan(), NewSpan());
        await SpanAsync(first);

        var fates = await Store.AddRawSpansAsync(
            Home, [first, second, second, first with { Output = "other" }, second with { CostUsd = 1 }], Noon.AddDays(1), Ct);

        Assert.Equal(
            [SpanInsertResult.Repeated, SpanInsertResult.Stored, SpanInsertResult.Repeated, SpanInsertResult.Conflicting,
                SpanInsertResult.Conflicting], fates);
        Assert.Equal(2, await Store.Spans.CountAsync(Home, Ct));
        Assert.Equal("tracking", (await Store.Spans.FindAsync(Home, first.Key, Ct))!.Content.Output);
    }

    [Fact]
    public async Task Many_senders_at_once_store_each_span_once()
    {
        var spans = Enumerable.Range(0, 200).Select(_ => NewSpan()).ToArray();

        var fates = await Task.WhenAll(spans.Concat(spans).Select(span => Store.AddRawSpansAsync(Home, [span], Noon, Ct)));

        Assert.Equal(200, fates.Count(fate => fate[0] == SpanInsertResult.Stored));
        Assert.Equal(200, fates.Count(fate => fate[0] == SpanInsertResult.Repeated));
        Assert.Equal(200, await Store.Spans.CountAsync(Home, Ct));
    }

    [Fact]
    public async Task One_bad_span_takes_nobody_along()
    {
        var good = Enumerable.Range(0, 50).Select(_ => NewSpan()).ToArray();
        var bad = NewSpan(at: DateTimeOffset.UnixEpoch);
        var writes = good.Select(span => Store.AddRawSpansAsync(Home, [span], Noon, Ct)).ToList();
        writes.Insert(25, Store.AddRawSpansAsync(Home, [NewSpan(), bad], Noon, Ct));

        await Task.WhenAll(writes).ContinueWith(_ => { }, TaskScheduler.Default);

        Assert.True(writes[25].IsFaulted);
        writes.RemoveAt(25);
        Assert.All(writes, write => Assert.Equal([SpanInsertResult.Stored], write.Result));
        Assert.Equal(50, await Store.Spans.CountAsync(Home, Ct));
    }

    [Fact]
    public async Task What_was_acknowledged_is_there_after_reopening()
    {
        var writes = Enumerable.Range(0, 100).Select(_ => Store.AddRawSpansAsync(Home, [NewSpan(), NewSpan()], Noon, Ct)).ToArray();
        await Task.WhenAll(writes);

        await ReopenAsync();

        Assert.Equal(200, await Store.Spans.CountAsync(Home, Ct));
        Assert.Equal(200, (await Store.Jobs.CountsAsync(Noon, Ct)).PendingSpans);
    }

    [Fact]
    public async Task A_full_queue_sends_callers_away_and_stores_nothing_of_theirs()
    {
        await ReopenAsync(new() { QueueCapacity = 50 });
        var batches = Enumerable.Range(0, 40).Select(_ => Enumerable.Range(0, 40).Select(_ => NewSpan()).ToArray()).ToArray();

        var fates = await Task.WhenAll(batches.Select(async batch =>
        {
            try
            {
                return (await Store.AddRawSpansAsync(Home, batch, Noon, Ct)).Count;
            }
            catch (OverloadedException overloaded)
            {
                Assert.True(overloaded.RetryAfter > TimeSpan.Zero);
                return 0;
            }
        }));

        Assert.Contains(0, fates);
        Assert.Contains(40, fates);
        Assert.Equal(fates.Sum(), await Store.Spans.CountAsync(Home, Ct));
    }

    [Fact]
    public async Task Spans_are_found_by_number_trace_and_arrival()
    {
        var one = await SpanAsync(NewSpan("t1", at: Noon.AddSeconds(5)));
        var two = await SpanAsync(NewSpan("t1", "answer"));
        var three = await SpanAsync(NewSpan("t2"));

        Assert.Equal([three.Id, one.Id], (await Store.Spans.GetAsync(Home, [three.Id, new(999), one.Id], Ct)).Select(s => s.Id));
        Assert.Equal([two.Id, one.Id], (await Store.Spans.TraceAsync(Home, "t1", Ct)).Select(s => s.Id));
        Assert.Equal([two.Id, three.Id], (await Store.Spans.AfterAsync(Home, one.Id, null, 10, Ct)).Select(s => s.Id));
        Assert.Equal([one.Id, three.Id], (await Store.Spans.AfterAsync(Home, new(0), "intent", 10, Ct)).Select(s => s.Id));
        Assert.Equal([one.Id], (await Store.Spans.AfterAsync(Home, new(0), null, 1, Ct)).Select(s => s.Id));
    }

    [Fact]
    public async Task Unreviewed_spans_are_those_nobody_corrected_newest_first()
    {
        var one = await SpanAsync();
        var two = await SpanAsync();
        var three = await SpanAsync();
        await SpanAsync(NewSpan(node: "answer"));
        await Store.Corrections.AddAsync(Correction(two), Ct);

        var open = await Store.Spans.UnreviewedAsync(Home, "intent", 10, Ct);

        Assert.Equal([three.Id, one.Id], open.Select(span => span.Id));
    }

    [Fact]
    public async Task Traces_are_listed_newest_first_page_by_page()
    {
        for (var i = 0; i < 7; i++)
        {
            await SpanAsync(NewSpan($"t{i}", "route") with { Session = i % 2 == 0 ? "even" : "odd", DurationMs = 1_000 });
            await SpanAsync(NewSpan(
                $"t{i}", at: Noon.AddSeconds(1)) with { ParentId = "x", Error = "no", DurationMs = 500, Input = "inner" });
        }
        await SpanAsync(NewSpan("t0", "late"));

        var seen = new List<TraceSummary>();
        string? cursor = null;
        do
        {
            var page = await Store.Spans.ListTracesAsync(Home, new(Cursor: cursor, Limit: 3), Ct);
            Assert.InRange(page.Items.Count, 1, 3);
            seen.AddRange(page.Items);
            cursor = page.Next;
        }
        while (cursor is not null);

        Assert.Equal(["t6", "t5", "t4", "t3", "t2", "t1", "t0"], seen.Select(trace => trace.TraceId));
        Assert.Equal(
            new("t6", Noon, 1_500, 2, 1, "even", null, "Where is my parcel?", "tracking", 0, 0), seen[0]);
        Assert.Equal(3, seen[^1].Spans);

        var even = await Store.Spans.ListTracesAsync(Home, new(Session: "even"), Ct);
        Assert.Equal(["t6", "t4", "t2", "t0"], even.Items.Select(trace => trace.TraceId));
        var late = await Store.Spans.ListTracesAsync(Home, new(Node: "late"), Ct);
        Assert.Equal(["t0"], late.Items.Select(trace => trace.TraceId));
        Assert.Empty((await Store.Spans.ListTracesAsync(Home, new(EndUser: "nobody"), Ct)).Items);
    }

    [Fact]
    public async Task A_trace_in_the_list_counts_the_current_verdicts_of_its_spans()
    {
        var metric = await MetricAsync();
        var (one, two) = (await SpanAsync(NewSpan("t")), await SpanAsync(NewSpan("t")));
        await JudgeAsync(Verdict(one, metric, Core.Metrics.Outcome.Fail, "v1"));
        await JudgeAsync(Verdict(one, metric, Core.Metrics.Outcome.Pass, "v2", Noon.AddMinutes(1)));
        await JudgeAsync(Verdict(two, metric, Core.Metrics.Outcome.Pass));
        await JudgeAsync(Verdict(await SpanAsync(NewSpan("u")), metric, Core.Metrics.Outcome.Fail));

        var listed = (await Store.Spans.ListTracesAsync(Home, new(), Ct)).Items;

        Assert.Equal([("u", 0, 1), ("t", 2, 0)], listed.Select(trace => (trace.TraceId, trace.Passes, trace.Fails)));
    }

    [Fact]
    public async Task Nodes_are_listed_by_name_with_the_kind_of_their_newest_span()
    {
        await SpanAsync(NewSpan(node: "b"));
        await SpanAsync(NewSpan(node: "b") with { Kind = NodeKind.Tool });
        await SpanAsync(NewSpan(node: "a"));
        var other = await Store.Projects.EnsureAsync("other", Noon, Ct);
        await SpanAsync(NewSpan(node: "c"), other.Id);

        Assert.Equal([("a", NodeKind.Classifier), ("b", NodeKind.Tool)], await Store.Spans.NodesAsync(Home, Ct));
        Assert.Equal([("c", NodeKind.Classifier)], await Store.Spans.NodesAsync(other.Id, Ct));
        Assert.Empty(await Store.Spans.NodesAsync(new(77), Ct));
    }

    [Fact]
    public async Task A_span_of_no_project_is_refused_as_missing() =>
        await Assert.ThrowsAsync<KeyNotFoundException>(() => Store.AddRawSpansAsync(new(77), [NewSpan()], Noon, Ct));

    [Fact]
    public async Task A_cursor_of_another_list_is_refused() =>
        await Assert.ThrowsAsync<ArgumentException>(() => Store.Spans.ListTracesAsync(Home, new(Cursor: "x~y"), Ct));

    [Theory]
    [InlineData("output = 'tracking'", true)]
    [InlineData("length(output) > 20", false)]
    [InlineData("cost_usd > 0.5", null)]
    [InlineData("duration_ms > 12 AND kind = 'classifier'", true)]
    [InlineData("started_at < '2026-03-14T12:00:00.000001Z' AND started_at >= '2026-03-14T12:00:00.000000Z'", true)]
    public async Task An_expression_is_evaluated_over_a_span(string expression, bool? expected)
    {
        var span = await SpanAsync();

        Assert.Equal(expected, await Store.Spans.EvaluateAsync(Home, span.Id, expression, Ct));
    }

    [Fact]
    public async Task An_expression_sees_only_its_project_and_must_be_a_truth_value()
    {
        var span = await SpanAsync();
        var other = await Store.Projects.EnsureAsync("other", Noon, Ct);

        Assert.Null(await Store.Spans.EvaluateAsync(other.Id, span.Id, "output = 'tracking'", Ct));
        await Assert.ThrowsAsync<InvalidOperationException>(() => Store.Spans.EvaluateAsync(Home, span.Id, "output", Ct));
        await Assert.ThrowsAsync<InvalidOperationException>(() => Store.Spans.EvaluateAsync(Home, span.Id, "nonsense = 1", Ct));
    }

    [Fact, Trait("runs", "alone")]
    public async Task An_expression_that_runs_too_long_is_stopped()
    {
        await ReopenAsync(new() { ExpressionTimeout = TimeSpan.FromMilliseconds(200) });
        var span = await SpanAsync();
        const string endless =
            "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000000000) SELECT count(*) FROM n) > 1";

        var before = TimeProvider.System.GetTimestamp();
        await Assert.ThrowsAsync<TimeoutException>(() => Store.Spans.EvaluateAsync(Home, span.Id, endless, Ct));

        Assert.InRange(TimeProvider.System.GetElapsedTime(before), TimeSpan.FromMilliseconds(150), TimeSpan.FromSeconds(10));
        Assert.True(await Store.Spans.EvaluateAsync(Home, span.Id, "output = 'tracking'", Ct));
    }

    [Fact]
    public async Task A_span_keeps_what_was_counted_of_it()
    {
        await SpanAsync();

        foreach (var change in new[] { "node = 'x'", "started_at = started_at + 1", "trace_id = 'x'", "kind = 'tool'", "parent_id = 'x'" })
            await Assert.ThrowsAnyAsync<System.Data.Common.DbException>(() => SqlAsync($"UPDATE span SET {change}"));
        await SqlAsync("UPDATE span SET output = 'redacted'");
    }
}
