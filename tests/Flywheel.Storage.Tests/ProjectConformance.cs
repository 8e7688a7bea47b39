using System.Data.Common;
using Flywheel.Core.Jobs;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Retrieval;
using Flywheel.Core.Review;

namespace Flywheel.Storage.Tests;

public abstract class ProjectConformance(ITestDatabases databases) : StoreConformance(databases)
{
    [Fact]
    public async Task The_default_project_is_there_and_others_are_made_once()
    {
        Assert.Equal("default", (await Store.Projects.GetAsync(Home, Ct))!.Name);
        Assert.Equal(0.02, (await Store.Projects.FindAsync("default", Ct))!.AuditRate);

        var made = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => Store.Projects.EnsureAsync("shop", Noon, Ct)));
        await Store.Projects.SetLimitsAsync(made[0].Id, 5, 1.5, 0.5, Ct);

        Assert.Single(made.Distinct());
        Assert.Equal(["default", "shop"], (await Store.Projects.ListAsync(Ct)).Select(project => project.Name));
        Assert.Equal(new(made[0].Id, "shop", 5, 1.5, 0.5, Noon), await Store.Projects.FindAsync("shop", Ct));
        Assert.Null(await Store.Projects.FindAsync("none", Ct));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => Store.Projects.SetLimitsAsync(Home, null, null, double.NaN, Ct));
    }

    [Fact]
    public async Task A_key_is_found_by_its_hash_and_revoked_once()
    {
        var key = new ApiKey(Guid.CreateVersion7(), Home, "ci", "fw_abc", KeyScope.Ingest, Noon, Noon.AddYears(1), null);
        await Store.Projects.AddKeyAsync(key, "hash", Ct);

        Assert.Equal(key, await Store.Projects.FindKeyAsync("hash", Ct));
        Assert.Null(await Store.Projects.FindKeyAsync("other", Ct));
        Assert.True(await Store.Projects.RevokeKeyAsync(Home, key.Id, Noon.AddDays(1), Ct));
        Assert.True(await Store.Projects.RevokeKeyAsync(Home, key.Id, Noon.AddDays(2), Ct));
        Assert.False(await Store.Projects.RevokeKeyAsync(new(77), key.Id, Noon, Ct));
        Assert.Equal([key with { RevokedAt = Noon.AddDays(1) }], await Store.Projects.ListKeysAsync(Home, Ct));
    }

    [Fact]
    public async Task A_key_is_refused_at_once_where_it_was_revoked_and_soon_elsewhere()
    {
        var key = new ApiKey(Guid.CreateVersion7(), Home, "ci", "fw_abc", KeyScope.Ingest, Noon, null, null);
        await using var other = await OpenAsync();
        Assert.Null(await Store.Projects.FindKeyAsync("hash", Ct));
        await Store.Projects.AddKeyAsync(key, "hash", Ct);
        Assert.NotNull(await Store.Projects.FindKeyAsync("hash", Ct));
        Assert.Null((await other.Projects.FindKeyAsync("hash", Ct))!.RevokedAt);

        await Store.Projects.RevokeKeyAsync(Home, key.Id, Noon, Ct);
        Assert.NotNull((await Store.Projects.FindKeyAsync("hash", Ct))!.RevokedAt);
        await Task.Delay(TimeSpan.FromMilliseconds(101), Ct);
        Assert.NotNull((await other.Projects.FindKeyAsync("hash", Ct))!.RevokedAt);
    }

    [Fact]
    public async Task Acts_at_once_stand_in_one_chain()
    {
        await using var other = await OpenAsync();
        for (var i = 0; i < 10; i++)
            await MetricAsync(NewMetric($"m{i}"));

        await Task.WhenAll(Enumerable.Range(0, 40).Select(i => Task.Run(() =>
            (i % 2 == 0 ? Store : other).Metrics.SetStateAsync(Home, $"m{i % 10}", MetricState.Retired, "ann", Noon, Ct))));

        Assert.Null(await Store.Audit.VerifyAsync(Home, Ct));
        Assert.Equal(Enumerable.Range(1, 50).Select(i => (long)i).Reverse(),
            (await Store.Audit.ListAsync(Home, 100, Ct)).Select(e => e.Id));
    }

    [Theory]
    [InlineData("UPDATE audit SET actor = 'eve' WHERE id = 3", 3)]
    [InlineData("UPDATE audit SET at = at + 1 WHERE id = 3", 3)]
    [InlineData("UPDATE audit SET details = '{ }' WHERE id = 3", 3)]
    [InlineData("DELETE FROM audit WHERE id = 2", 3)]
    [InlineData("UPDATE audit SET hash = '0' WHERE id = 5", 5)]
    public async Task Tampering_breaks_the_chain_where_it_happened(string tampering, long where)
    {
        for (var i = 0; i < 5; i++)
            await MetricAsync(NewMetric($"m{i}"));
        Assert.Null(await Store.Audit.VerifyAsync(Home, Ct));
        await Assert.ThrowsAnyAsync<DbException>(() => SqlAsync(tampering));

        await SqlAsync(DropGuards);
        await SqlAsync(tampering);

        Assert.Equal(where, await Store.Audit.VerifyAsync(Home, Ct));
    }

    [Fact]
    public async Task A_nodes_policy_is_replaced_and_audited()
    {
        Assert.Null(await Store.NodePolicies.FindAsync(Home, "intent", Ct));
        await Store.NodePolicies.SetAsync(new(Home, "intent", """{"k":3}""", "ann", Noon), Ct);
        var newer = new NodePolicy(Home, "intent", """{"k":5}""", "bob", Noon.AddDays(1));
        await Store.NodePolicies.SetAsync(newer, Ct);

        Assert.Equal([newer], await Store.NodePolicies.ListAsync(Home, Ct));
        Assert.Equal(newer, await Store.NodePolicies.FindAsync(Home, "intent", Ct));
        Assert.Equal(["bob", "ann"], (await Store.Audit.ListAsync(Home, 10, Ct)).Select(entry => entry.Actor));
    }

    protected abstract string DropGuards { get; }

    /// <summary>Fills a project with one of everything, under the same caller-chosen ids in each project.</summary>
    async Task<Content> FillAsync(ProjectId project, Guid[] ids)
    {
        var metric = await MetricAsync(project: project);
        var span = await SpanAsync(NewSpan("trace") with { Key = new("trace", "span"), Session = project.Value.ToString() }, project);
        await Store.Jobs.FanOutAsync(10, PairAll, Noon, Ct);
        await Store.Labels.AddAsync(Label(span, metric, false) with { Id = ids[0] }, Ct);
        await Store.Corrections.AddAsync(Correction(span) with { Id = ids[1] }, Ct);
        await Store.Feedback.AddAsync(new(ids[2], project, "trace", null, "thumbs", "1", null, null, Noon), Ct);
        var demonstration = new Demonstration(
            ids[3], project, DemonstrationPurpose.Task, "intent", "in", $"out {project.Value}", null, null, 0, null, null,
            DemonstrationState.Pending, "ann", Noon, null, null, null, null);
        await Store.Demonstrations.AddAsync([demonstration], Ct);
        await Store.Projects.AddKeyAsync(
            new(ids[4], project, "k", "p", KeyScope.Read, Noon, null, null), $"hash {project.Value}", Ct);
        await Store.NodePolicies.SetAsync(new(project, "intent", $"{{\"k\":{project.Value}}}", "ann", Noon), Ct);
        await Store.Review.AddPicksAsync(project, [new(span.Id, null, ReviewReason.Informative, "look", 0.5, null)], Noon, Ct);
        var job = Assert.Single(await ClaimAsync());
        Assert.Equal([true], await Store.Jobs.EndAsync([new JobEnd.Done(job, Verdict(span, metric))], Noon, Ct));
        Assert.Equal(1, await Store.Jobs.EnqueueAsync(project, metric.VersionId, JobLane.Judge, [span.Id], Noon, Ct));
        return new(project, metric, span);
    }

    sealed record Content(ProjectId Project, Metric Metric, Core.Traces.Span Span);

    [Fact]
    public async Task Two_projects_with_the_same_ids_never_meet()
    {
        Guid[] ids = [.. Enumerable.Range(0, 5).Select(_ => Guid.CreateVersion7())];
        var one = await FillAsync(Home, ids);
        var two = await FillAsync((await Store.Projects.EnsureAsync("other", Noon, Ct)).Id, ids);
        var none = (await Store.Projects.EnsureAsync("empty", Noon, Ct)).Id;

        foreach (var (mine, theirs) in new[] { (one, two), (two, one) })
        {
            var me = mine.Project;

            // By the ids that both chose: each sees its own.
            Assert.Equal(me, (await Store.Spans.FindAsync(me, new("trace", "span"), Ct))!.Project);
            Assert.Equal(me, Assert.Single(await Store.Spans.TraceAsync(me, "trace", Ct)).Project);
            Assert.Equal(me.Value.ToString(), Assert.Single((await Store.Spans.ListTracesAsync(me, new(), Ct)).Items).Session);
            Assert.Equal(me, Assert.Single(await Store.Spans.AfterAsync(me, new(0), null, 10, Ct)).Project);
            Assert.Equal(1, await Store.Spans.CountAsync(me, Ct));
            Assert.Equal(me, (await Store.Metrics.FindAsync(me, "short", Ct))!.Project);
            Assert.Equal(me, Assert.Single(await Store.Metrics.ListAsync(me, Ct)).Project);
            Assert.Equal(me, Assert.Single(await Store.Metrics.VersionsAsync(me, "short", Ct)).Project);
            Assert.Equal(me, Assert.Single(await Store.Labels.ListAsync(me, null, 10, Ct)).Project);
            Assert.Equal(me, Assert.Single(await Store.Corrections.ListAsync(me, 10, Ct)).Project);
            Assert.Equal(me, Assert.Single(await Store.Feedback.OfTraceAsync(me, "trace", Ct)).Project);
            Assert.Equal($"out {me.Value}", (await Store.Demonstrations.GetAsync(me, ids[3], Ct))!.Output);
            Assert.All((await Store.Demonstrations.ListAsync(me, new(), Ct)).Items, row => Assert.Equal(me, row.Project));
            Assert.Equal(me, (await Store.Demonstrations.OfSourceAsync(me, ids[0], Ct))!.Project);
            Assert.Equal(me, (await Store.Demonstrations.OfSourceAsync(me, ids[1], Ct))!.Project);
            Assert.Equal($"{{\"k\":{me.Value}}}", (await Store.NodePolicies.FindAsync(me, "intent", Ct))!.Retrieval);
            Assert.Equal(me, Assert.Single(await Store.NodePolicies.ListAsync(me, Ct)).Project);
            Assert.Equal(me, Assert.Single(await Store.Projects.ListKeysAsync(me, Ct)).Project);
            Assert.All((await Store.Review.ListAsync(me, new(), Ct)).Items, item => Assert.Equal(mine.Span.Id, item.Span));
            Assert.Equal(me, Assert.Single((await Store.Jobs.ListAsync(me, null, null, 10, Ct)).Items).Project);
            Assert.Equal(1, Assert.Single(await Store.Metrics.CellsAsync(me, mine.Metric.Id, Ct)).Count);
            Assert.Equal(me, Assert.Single(await Store.Verdicts.CurrentAsync(me, [mine.Span.Id, theirs.Span.Id], Ct)).Project);
            Assert.All(await Store.Audit.ListAsync(me, 10, Ct), entry => Assert.Equal(me, entry.Project));

            // By row numbers of the other: nothing, and nothing changes.
            Assert.Empty(await Store.Spans.GetAsync(me, [theirs.Span.Id], Ct));
            Assert.Null(await Store.Spans.EvaluateAsync(me, theirs.Span.Id, "output IS NOT NULL", Ct));
            Assert.Null(await Store.Metrics.GetVersionAsync(me, theirs.Metric.VersionId, Ct));
            Assert.Empty(await Store.Metrics.CellsAsync(me, theirs.Metric.Id, Ct));
            Assert.Empty(await Store.Metrics.RecomputedCellsAsync(me, theirs.Metric.Id, Ct));
            Assert.Empty(await Store.Verdicts.CurrentAsync(me, [theirs.Span.Id], Ct));
            Assert.Empty(await Store.Labels.OfSpansAsync(me, [theirs.Span.Id], Ct));
            Assert.Empty(await Store.Labels.ListAsync(me, theirs.Metric.Id, 10, Ct));
            Assert.Empty(await Store.Corrections.OfSpansAsync(me, [theirs.Span.Id], Ct));
            Assert.Equal(0, await Store.Jobs.EnqueueAsync(me, mine.Metric.VersionId, JobLane.Code, [theirs.Span.Id], Noon, Ct));
            Assert.Equal(0, await Store.Jobs.EnqueueAsync(me, theirs.Metric.VersionId, JobLane.Code, [mine.Span.Id], Noon, Ct));
            await Assert.ThrowsAsync<KeyNotFoundException>(
                () => Store.Labels.AddAsync(Label(theirs.Span, mine.Metric, true) with { Project = me }, Ct));
            await Assert.ThrowsAsync<KeyNotFoundException>(
                () => Store.Labels.AddAsync(Label(mine.Span, theirs.Metric, true) with { Project = me }, Ct));
            await Assert.ThrowsAsync<KeyNotFoundException>(
                () => Store.Corrections.AddAsync(Correction(theirs.Span) with { Project = me }, Ct));
            await Store.Review.AddPicksAsync(
                me, [new(theirs.Span.Id, null, ReviewReason.Unsure, "x", 1, null),
                    new(mine.Span.Id, theirs.Metric.Id, ReviewReason.Unsure, "x", 1, null)],
                Noon, Ct);
        }
        Assert.Equal(2, await CountAsync("review_pick WHERE reason = 'informative'"));
        Assert.Equal(0, await CountAsync("review_pick WHERE reason = 'unsure'"));

        // What an outsider tries under the shared ids has no effect on either.
        Assert.Empty(await Store.Spans.UnreviewedAsync(none, "intent", 10, Ct));
        Assert.Equal(0, await Store.Demonstrations.ApproveAsync(none, [ids[3]], "eve", Noon, Ct));
        Assert.Equal(0, await Store.Demonstrations.RecallAsync(none, [ids[3]], "eve", Noon, Ct));
        Assert.False(await Store.Labels.RemoveAsync(none, ids[0], "eve", Noon, Ct));
        Assert.False(await Store.Projects.RevokeKeyAsync(none, ids[4], Noon, Ct));
        Assert.False(await Store.Metrics.SetStateAsync(none, "short", MetricState.Retired, "eve", Noon, Ct));
        Assert.Equal(0, await Store.Jobs.RetryAsync(none, null, Noon, Ct));
        Assert.Equal(2, await CountAsync("label"));
        Assert.Equal(2, await CountAsync("metric WHERE state = 'active'"));

        // Acting in one leaves the other as it was.
        await Store.Demonstrations.ApproveAsync(Home, [ids[3]], "ann", Noon, Ct);
        await Store.Demonstrations.PutVectorsAsync([(Home, ids[3], new("f", 1, [1]))], Noon, Ct);
        Assert.Equal(DemonstrationState.Pending, (await Store.Demonstrations.GetAsync(two.Project, ids[3], Ct))!.State);
        var change = Assert.Single(await Store.Demonstrations.ChangesAsync(0, "f", 10, Ct));
        Assert.Equal((Home, Home), (change.Project, change.Demonstration!.Project));
        Assert.True(await Store.Labels.RemoveAsync(Home, ids[0], "ann", Noon, Ct));
        Assert.Single(await Store.Labels.ListAsync(two.Project, null, 10, Ct));
        Assert.NotNull(await Store.Demonstrations.OfSourceAsync(two.Project, ids[0], Ct));
    }
}
