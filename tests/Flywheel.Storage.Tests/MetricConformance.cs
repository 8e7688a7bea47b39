using System.Text.Json;
using Flywheel.Core.Metrics;
using Flywheel.Core.Traces;

namespace Flywheel.Storage.Tests;

public abstract class MetricConformance(ITestDatabases databases) : StoreConformance(databases)
{
    [Fact]
    public async Task A_metric_comes_back_as_it_was_defined()
    {
        var metric = NewMetric("Höflich") with
        {
            Nodes = ["answer", "intent"], Kinds = [NodeKind.Writer], Sampling = 0.25, Role = MetricRole.Guard,
            Subject = MetricSubject.Input,
            State = MetricState.Proposed, OnFail = GuardAction.Redact, OnError = GuardFault.Block,
            Validator = new("judge", JsonSerializer.SerializeToElement(new { model = "m", shots = 3, nested = new[] { 1.5 } })),
        };

        var added = await MetricAsync(metric);
        var found = await Store.Metrics.FindAsync(Home, "Höflich", Ct);

        foreach (var one in new[] { added, found! })
        {
            Assert.Equal(1, one.Number);
            Assert.Equal((MetricState.Proposed, MetricRole.Guard, MetricSubject.Input, 0.25),
                (one.State, one.Role, one.Subject, one.Sampling));
            Assert.Equal((GuardAction.Redact, GuardFault.Block), (one.OnFail, one.OnError));
            Assert.Equal(["answer", "intent"], one.Nodes);
            Assert.Equal([NodeKind.Writer], one.Kinds);
            Assert.Equal("judge", one.Validator.Kind);
            Assert.Equal("""{"model":"m","shots":3,"nested":[1.5]}""", one.Validator.Settings.GetRawText());
            Assert.Equal(("ann", Noon), (one.Author, one.CreatedAt));
        }
    }

    [Fact]
    public async Task A_name_gets_versions_unless_it_must_be_new()
    {
        var first = await MetricAsync();
        Assert.Null(await Store.Metrics.AddAsync(Home, NewMetric(), expectNew: true, Noon, Ct));
        var second = await MetricAsync(NewMetric() with { Criterion = "Shorter?" });

        Assert.Equal((first.Id, 2), (second.Id, second.Number));
        Assert.Equal("Shorter?", (await Store.Metrics.FindAsync(Home, "short", Ct))!.Criterion);
        Assert.Equal([1, 2], (await Store.Metrics.VersionsAsync(Home, "short", Ct)).Select(one => one.Number));
        Assert.Equal("Is the answer short?", (await Store.Metrics.GetVersionAsync(Home, first.VersionId, Ct))!.Criterion);
        Assert.Equal(2, Assert.Single(await Store.Metrics.ListAsync(Home, Ct)).Number);
    }

    [Fact]
    public async Task Versions_added_at_once_get_numbers_of_their_own()
    {
        await using var other = await OpenAsync();

        await Task.WhenAll(Enumerable.Range(0, 12).Select(i =>
            (i % 2 == 0 ? Store : other).Metrics.AddAsync(Home, NewMetric(), expectNew: false, Noon, Ct)));

        Assert.Equal(Enumerable.Range(1, 12), (await Store.Metrics.VersionsAsync(Home, "short", Ct)).Select(one => one.Number));
        Assert.Null(await Store.Audit.VerifyAsync(Home, Ct));
        Assert.Equal(12, (await Store.Audit.ListAsync(Home, 100, Ct)).Count);
    }

    [Fact]
    public async Task A_change_of_state_is_recorded_with_its_author()
    {
        await MetricAsync();

        Assert.True(await Store.Metrics.SetStateAsync(Home, "short", MetricState.Retired, "bob", Noon, Ct));
        Assert.False(await Store.Metrics.SetStateAsync(Home, "unknown", MetricState.Retired, "bob", Noon, Ct));

        Assert.Equal(MetricState.Retired, (await Store.Metrics.FindAsync(Home, "short", Ct))!.State);
        var entry = (await Store.Audit.ListAsync(Home, 1, Ct))[0];
        Assert.Equal(("bob", "metric.state", "short"), (entry.Actor, entry.Action, entry.Subject));
    }

    [Fact]
    public async Task The_newest_verdict_of_a_metric_is_the_current_one()
    {
        var metric = await MetricAsync();
        var span = await SpanAsync();
        await JudgeAsync(Verdict(span, metric, Outcome.Fail, "a", Noon.AddMinutes(2)));
        await JudgeAsync(Verdict(span, metric, Outcome.Unsure, "b", Noon.AddMinutes(1)));
        Assert.Equal(Outcome.Fail, Assert.Single(await Store.Verdicts.CurrentAsync(Home, [span.Id], Ct)).Finding.Outcome);

        var second = await MetricAsync(NewMetric());
        await JudgeAsync(Verdict(span, second, Outcome.Pass, "c", Noon.AddMinutes(3), confidence: 0.75));

        var current = Assert.Single(await Store.Verdicts.CurrentAsync(Home, [span.Id], Ct));
        Assert.Equal(Verdict(span, second, Outcome.Pass, "c", Noon.AddMinutes(3), confidence: 0.75), current);
    }

    [Fact]
    public async Task A_verdict_says_where_in_the_text_it_found_something()
    {
        var metric = await MetricAsync();
        var span = await SpanAsync();
        FoundSpan[] found = [new(9, 2, "card"), new(12, 6, "e-mail \"x\"")];
        var verdict = Verdict(span, metric, Outcome.Fail);

        await JudgeAsync(verdict with { Finding = verdict.Finding with { Spans = [new(0, 1, "old")] } });
        await JudgeAsync(verdict with { At = Noon.AddMinutes(1), Finding = verdict.Finding with { Spans = found } });

        Assert.Equal(found, Assert.Single(await Store.Verdicts.CurrentAsync(Home, [span.Id], Ct)).Finding.Spans);
        Assert.Equal(1, await CountAsync("current_verdict WHERE spans IS NOT NULL"));
    }

    [Fact]
    public async Task The_revision_rises_with_every_change_of_a_metric()
    {
        var before = Store.Metrics.Revision;
        await MetricAsync();
        var added = Store.Metrics.Revision;
        await Store.Metrics.SetStateAsync(Home, "short", MetricState.Retired, "bob", Noon, Ct);

        Assert.True(before < added && added < Store.Metrics.Revision);
    }

    [Fact]
    public async Task The_same_verdict_again_takes_the_newer_finding()
    {
        var metric = await MetricAsync();
        var span = await SpanAsync();
        await JudgeAsync(Verdict(span, metric, Outcome.Fail));
        await JudgeAsync(Verdict(span, metric, Outcome.Pass, at: Noon.AddMinutes(1)));

        Assert.Equal(1, await CountAsync("verdict"));
        Assert.Equal(Outcome.Pass, Assert.Single(await Store.Verdicts.CurrentAsync(Home, [span.Id], Ct)).Finding.Outcome);
        await AssertCountsAsync(metric);
    }
}
