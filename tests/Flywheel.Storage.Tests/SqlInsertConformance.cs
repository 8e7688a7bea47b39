using System.Data.Common;
using Flywheel.Core.Jobs;
using Flywheel.Core.Metrics;
using Flywheel.Core.Retrieval;
using Flywheel.Core.Traces;

namespace Flywheel.Storage.Tests;

/// <summary>Whoever can insert a row takes part in the loop.</summary>
public abstract class SqlInsertConformance(ITestDatabases databases) : StoreConformance(databases)
{
    const string PlainInsert =
        "INSERT INTO span (project_id, node, kind, input, output) VALUES (1, 'intent', 'classifier', 'in', 'out'), (1, 'intent', "
            + "'classifier', 'in 2', 'out 2')";

    [Fact]
    public async Task A_row_by_plain_SQL_is_queued_judged_and_counted_like_any_other()
    {
        var metric = await MetricAsync();
        await SqlAsync(PlainInsert);

        Assert.Equal(2, (await Store.Jobs.CountsAsync(Noon, Ct)).PendingSpans);
        Assert.Equal(2, await FanOutAsync());
        var jobs = await ClaimAsync();
        var spans = await Store.Spans.GetAsync(Home, [.. jobs.Select(job => job.Span)], Ct);
        await Store.Jobs.EndAsync(
            [.. jobs.Select((job, i) => new JobEnd.Done(job, Verdict(spans[i], metric)))], Noon, Ct);

        Assert.Equal(2, (await Store.Metrics.CellsAsync(Home, metric.Id, Ct)).Sum(cell => cell.Count));
        await AssertCountsAsync(metric);
        Assert.All(spans, span =>
        {
            Assert.Equal((32, 16), (span.Key.Trace.Length, span.Key.Span.Length));
            Assert.InRange((TimeProvider.System.GetUtcNow() - span.Content.StartedAt).TotalSeconds, -1, 60);
            Assert.InRange((span.ReceivedAt - span.Content.StartedAt).TotalSeconds, -1, 1);
        });
    }

    [Fact]
    public async Task A_person_may_work_in_SQL_too()
    {
        var metric = await MetricAsync();
        var span = await SpanAsync();
        await JudgeAsync(Verdict(span, metric, Outcome.Fail));

        await SqlAsync(
            $"INSERT INTO label (project_id, id, span_id, metric_id, passed, mode, author) VALUES (1, '{Guid.NewGuid():D}', "
                + $"{span.Id.Value}, {metric.Id.Value}, 1, 'blind', 'dba')");
        await SqlAsync(
            $"INSERT INTO correction (project_id, id, span_id, corrected_output, author) VALUES (1, '{Guid.NewGuid():D}', "
                + $"{span.Id.Value}, 'better', 'dba')");
        await SqlAsync("UPDATE demonstration SET state = 'approved', approved_at = created_at, approved_by = 'dba' WHERE purpose = 'task'");

        await AssertCountsAsync(metric);
        Assert.True(Assert.Single(await Store.Metrics.CellsAsync(Home, metric.Id, Ct)).Human);
        Assert.Equal(2, (await Store.Demonstrations.ListAsync(Home, new(), Ct)).Items.Count);
        Assert.Equal("better", Assert.Single(await Store.Demonstrations.ChangesAsync(0, "f", 10, Ct)).Demonstration!.Output);
    }

    [Theory]
    [InlineData("INSERT INTO span (project_id, node, kind) VALUES (77, 'intent', 'tool')")]
    [InlineData("INSERT INTO span (project_id, node, kind) VALUES (1, '', 'tool')")]
    [InlineData("INSERT INTO span (project_id, node, kind) VALUES (1, 'intent', 'gizmo')")]
    [InlineData("INSERT INTO span (project_id, node, kind, started_at) VALUES (1, 'intent', 'tool', 0)")]
    [InlineData("INSERT INTO span (project_id, node, kind, started_at) VALUES (1, 'intent', 'tool', 9000000000000000)")]
    [InlineData("INSERT INTO span (project_id, node, kind, demonstrations) VALUES (1, 'intent', 'tool', 'no json')")]
    public async Task A_row_that_would_break_the_loop_is_refused(string insert)
    {
        await using var connection = await OpenedAsync(Databases.Connect(Url));
        await using (var pragma = connection.CreateCommand())
        {
            pragma.CommandText = Pragmas;
            await pragma.ExecuteNonQueryAsync(Ct);
        }
        await using var command = connection.CreateCommand();
        command.CommandText = insert;

        await Assert.ThrowsAnyAsync<DbException>(() => command.ExecuteNonQueryAsync(Ct));
    }

    /// <summary>What a tool sets on its connection first.</summary>
    protected abstract string Pragmas { get; }

    [Fact]
    public async Task Another_process_may_write_while_this_one_does()
    {
        await MetricAsync();
        var ours = Enumerable.Range(0, 100).Select(_ => Store.AddRawSpansAsync(Home, [NewSpan()], Noon, Ct));
        var theirs = Enumerable.Range(0, 20).Select(_ => Task.Run(() => SqlAsync(PlainInsert)));

        await Task.WhenAll(ours.Cast<Task>().Concat(theirs));

        Assert.Equal(140, await Store.Spans.CountAsync(Home, Ct));
        Assert.Equal(140, await FanOutAsync());
    }

    [Fact]
    public async Task What_a_query_tool_reads_is_what_the_product_shows()
    {
        var metric = await MetricAsync();
        await JudgeAsync(Verdict(await SpanAsync(), metric, Outcome.Fail));

        Assert.Equal(1, await CountAsync("current_verdict WHERE outcome = 'fail'"));
        Assert.Equal(1, await CountAsync("review_item WHERE reason = 'lowscore'"));
        Assert.Equal(1, await CountAsync("metric_cell"));
        Assert.Equal(DemonstrationState.Pending, Wire.Parse<DemonstrationState>("pending"));
        Assert.Equal(SpanInsertResult.Stored, (await Store.AddRawSpansAsync(Home, [NewSpan()], Noon, Ct))[0]);
    }
}
