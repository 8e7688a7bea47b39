using Flywheel.Core.Datasets;
using Flywheel.Core.Metrics;
using Flywheel.Core.Traces;

namespace Flywheel.Storage.Tests;

public abstract class DatasetConformance(ITestDatabases databases) : StoreConformance(databases)
{
    static NewDatasetItem Item(string input, string? expected = null, string? user = null, SpanKey? source = null, string? split = null) =>
        new(input, expected, """{"lang":"en"}""", split, source, user);

    Task<DatasetChange> AddAsync(params NewDatasetItem[] items) => Store.Datasets.AddAsync(Home, "gold", items, "note", "ann", Noon, Ct);

    async Task<string[]> InputsAsync(int number) =>
        [.. (await Store.Datasets.ItemsAsync(Home, "gold", number, null, 0, 100, Ct)).Select(item => item.Content.Input)];

    async Task MakeAsync() => await Store.Datasets.CreateAsync(Home, "gold", "what is right", "ann", Noon, Ct);

    [Fact]
    public async Task Versions_are_numbered_never_change_and_equal_content_makes_none()
    {
        await MakeAsync();
        var first = await AddAsync(Item("a", "1"), Item("b"), Item("a", "1"));
        var same = await AddAsync(Item("b"), Item("a", "1"));
        var second = await AddAsync(Item("c"), Item("a", "2"), Item("b"));

        Assert.Equal((true, 2, 1), (first.IsNew, first.Added, first.Known));
        Assert.Equal((false, 0, 2), (same.IsNew, same.Added, same.Known));
        Assert.Equal(first.Version, same.Version);
        Assert.Equal((2, 4L, 2L, 0L, 0L, "note", "ann", Noon),
            (second.Version!.Number, second.Version.Items, second.Version.Added, second.Version.Removed, second.Version.Erased,
                second.Version.Note, second.Version.Author, second.Version.CreatedAt));
        Assert.Equal(["a", "b"], await InputsAsync(1));
        Assert.Equal(["a", "b", "c", "a"], await InputsAsync(2));
        Assert.Equal([second.Version, first.Version!], await Store.Datasets.VersionsAsync(Home, "gold", Ct));
        Assert.Equal(second.Version, (await Store.Datasets.FindAsync(Home, "gold", Ct))!.Latest);
        Assert.Equal(first.Version, await Store.Datasets.VersionAsync(Home, "gold", 1, Ct));
        await Assert.ThrowsAsync<KeyNotFoundException>(() => Store.Datasets.AddAsync(Home, "none", [Item("a")], null, "ann", Noon, Ct));
        await Assert.ThrowsAnyAsync<System.Data.Common.DbException>(() => SqlAsync("UPDATE dataset_version SET items = 9"));
        await Assert.ThrowsAnyAsync<System.Data.Common.DbException>(() => SqlAsync("UPDATE dataset_item SET input = 'changed'"));
        Assert.Empty(await Store.Datasets.ListAsync((await Store.Projects.EnsureAsync("other", Noon, Ct)).Id, Ct));
        Assert.Equal(["dataset.version", "dataset.version", "dataset.create"],
            (await Store.Audit.ListAsync(Home, 3, Ct)).Select(entry => entry.Action));
    }

    [Fact]
    public async Task The_hash_is_of_the_content_whatever_its_order_and_place()
    {
        await MakeAsync();
        await Store.Datasets.CreateAsync(Home, "other", null, "ann", Noon, Ct);
        var one = await AddAsync(Item("a"), Item("b"), Item("c"));
        var other = await Store.Datasets.AddAsync(Home, "other", [Item("c"), Item("a"), Item("b")], null, "bo", Noon, Ct);
        var more = await AddAsync(Item("d"));
        var back = await Store.Datasets.RemoveAsync(Home, "gold", [4], null, "ann", Noon, Ct);

        Assert.Equal(one.Version!.ContentHash, other.Version!.ContentHash);
        Assert.NotEqual(one.Version.ContentHash, more.Version!.ContentHash);
        Assert.Equal((3, one.Version.ContentHash), (back.Version!.Number, back.Version.ContentHash));
    }

    [Fact]
    public async Task What_is_removed_stays_in_older_versions_and_may_come_again()
    {
        await MakeAsync();
        await AddAsync(Item("a", split: "test"), Item("b", split: "train"), Item("c"));
        var removed = await Store.Datasets.RemoveAsync(Home, "gold", [2, 2, 99], null, "ann", Noon, Ct);
        var nothing = await Store.Datasets.RemoveAsync(Home, "gold", [2], null, "ann", Noon, Ct);
        await AddAsync(Item("b", split: "train"), Item("d"));

        Assert.Equal((true, 1, 2), (removed.IsNew, removed.Removed, removed.Version!.Number));
        Assert.False(nothing.IsNew);
        Assert.Equal(["a", "b", "c"], await InputsAsync(1));
        Assert.Equal(["a", "c"], await InputsAsync(2));
        Assert.Equal(["a", "c", "b", "d"], await InputsAsync(3));
        Assert.Equal(["b"], (await Store.Datasets.ItemsAsync(Home, "gold", 3, "train", 0, 10, Ct)).Select(item => item.Content.Input));
        Assert.Equal([3L, 4], (await Store.Datasets.ItemsAsync(Home, "gold", 3, null, 1, 2, Ct)).Select(item => item.Ordinal));
        var diff = await Store.Datasets.DiffAsync(Home, "gold", 1, 3, 0, 10, Ct);
        Assert.Equal([(false, 2L), (true, 4), (true, 5)], diff.Select(change => (change.Added, change.Item.Ordinal)));
        Assert.Equal([(true, 1L), (true, 2), (true, 3)],
            (await Store.Datasets.DiffAsync(Home, "gold", 0, 1, 0, 10, Ct)).Select(change => (change.Added, change.Item.Ordinal)));
    }

    [Fact]
    public async Task A_deleted_data_set_takes_all_of_its_own_and_nothing_else_and_its_name_is_free_again()
    {
        await MakeAsync();
        await AddAsync(Item("a"), Item("b"));
        await AddAsync(Item("c"));
        await Store.Datasets.CreateAsync(Home, "other", null, "ann", Noon, Ct);
        await Store.Datasets.AddAsync(Home, "other", [Item("a")], null, "ann", Noon, Ct);
        var elsewhere = (await Store.Projects.EnsureAsync("elsewhere", Noon, Ct)).Id;
        await Store.Datasets.CreateAsync(elsewhere, "gold", null, "ann", Noon, Ct);
        await Store.Datasets.AddAsync(elsewhere, "gold", [Item("theirs")], null, "ann", Noon, Ct);

        var deleted = await Store.Datasets.DeleteAsync(Home, "gold", "bo", Noon, Ct);

        Assert.Equal(("gold", 2, 3L), (deleted!.Name, deleted.Latest!.Number, deleted.Latest.Items));
        Assert.Null(await Store.Datasets.FindAsync(Home, "gold", Ct));
        Assert.Null(await Store.Datasets.DeleteAsync(Home, "gold", "bo", Noon, Ct));
        Assert.Empty(await Store.Datasets.VersionsAsync(Home, "gold", Ct));
        Assert.Empty(await InputsAsync(2));
        Assert.Equal(1, (await Store.Datasets.FindAsync(Home, "other", Ct))!.Latest!.Items);
        Assert.Equal(1, (await Store.Datasets.FindAsync(elsewhere, "gold", Ct))!.Latest!.Items);
        var entry = (await Store.Audit.ListAsync(Home, 1, Ct)).Single();
        Assert.Equal(("dataset.delete", "gold", "bo"), (entry.Action, entry.Subject, entry.Actor));
        Assert.Contains(deleted.Latest.ContentHash, entry.Details, StringComparison.Ordinal);
        await MakeAsync();
        Assert.Equal((1, 1L),
            ((await AddAsync(Item("new"))).Version!.Number, (await Store.Datasets.FindAsync(Home, "gold", Ct))!.Latest!.Items));
    }

    [Fact]
    public async Task Changes_at_once_get_different_numbers()
    {
        await MakeAsync();

        var changes = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => AddAsync(Item("text " + i), Item("same"))));

        Assert.Equal(Enumerable.Range(1, 8), changes.Select(change => change.Version!.Number).Order());
        Assert.Equal(9, (await Store.Datasets.FindAsync(Home, "gold", Ct))!.Latest!.Items);
    }

    [Fact]
    public async Task An_end_user_leaves_every_version_and_a_place_is_not_given_twice()
    {
        await MakeAsync();
        var theirs = await SpanAsync(NewSpan("t1") with { EndUser = "eve" });
        var step = await SpanAsync(NewSpan("t1") with { EndUser = null });
        var others = await SpanAsync(NewSpan("t2") with { EndUser = "bob" });
        var kept = await AddAsync(Item("bob's", user: "bob", source: others.Key));
        await AddAsync(Item("eve's", user: "eve", source: theirs.Key), Item("a step", source: step.Key));
        await AddAsync(Item("from a file", user: "eve"));
        await Store.Datasets.RemoveAsync(Home, "gold", [2], null, "ann", Noon, Ct);
        Assert.Equal(["bob's", "a step", "from a file"], await InputsAsync(4));

        var erased = await Store.Erasures.EraseAsync(Home, "eve", "ann", Noon, Ct);

        Assert.Equal(3, erased.DatasetItems);
        foreach (var number in new[] { 1, 2, 3, 4 })
            Assert.Equal(["bob's"], await InputsAsync(number));
        var versions = await Store.Datasets.VersionsAsync(Home, "gold", Ct);
        Assert.Equal([(1L, 2L), (1, 3), (1, 2), (1, 0)], versions.Select(version => (version.Items, version.Erased)));
        Assert.All(versions, version => Assert.Equal(kept.Version!.ContentHash, version.ContentHash));
        Assert.Equal(1, await CountAsync("dataset_item"));
        Assert.Equal(0L, Convert.ToInt64(
            await SqlAsync("SELECT count(*) FROM dataset_item WHERE end_user = 'eve' OR trace_id = 't1'"),
            System.Globalization.CultureInfo.InvariantCulture));
        await AddAsync(Item("new"));
        Assert.Equal([1L, 5], (await Store.Datasets.ItemsAsync(Home, "gold", 5, null, 0, 10, Ct)).Select(item => item.Ordinal));
    }

    [Fact]
    public async Task A_query_finds_spans_by_what_is_known_of_them()
    {
        var metric = await MetricAsync();
        var failed = await SpanAsync(NewSpan("f") with { Input = "failed", Session = "s1", EndUser = "eve" });
        var passed = await SpanAsync(NewSpan("p", at: Noon.AddHours(1)) with { Input = "passed" });
        var fixedOne = await SpanAsync(NewSpan("c") with { Input = "fixed", Output = "wrong" });
        await SpanAsync(NewSpan("w", node: "writer") with { Input = "written", Kind = NodeKind.Writer });
        await SpanAsync(NewSpan("n") with { Input = null });
        await JudgeAsync(Verdict(failed, metric, Outcome.Pass));
        await JudgeAsync(Verdict(failed, metric, Outcome.Fail, validator: "v2", at: Noon.AddMinutes(1)));
        await JudgeAsync(Verdict(passed, metric));
        await Store.Labels.AddAsync(Label(passed, metric, false), Ct);
        await Store.Labels.AddAsync(Label(passed, metric, true, at: Noon.AddMinutes(1)), Ct);
        await Store.Labels.AddAsync(Label(failed, metric, false), Ct);
        await Store.Corrections.AddAsync(Correction(fixedOne, "first"), Ct);
        await Store.Corrections.AddAsync(Correction(fixedOne, "right") with { CreatedAt = Noon.AddMinutes(1) }, Ct);
        await Store.Feedback.AddAsync(new(Guid.CreateVersion7(), Home, "p", null, "thumbs", "\"up\"", null, null, Noon), Ct);
        await Store.Feedback.AddAsync(new(Guid.CreateVersion7(), Home, "f", failed.Key.Span, "thumbs", "\"down\"", null, null, Noon), Ct);

        Assert.Equal(["failed", "passed", "fixed", "written"], await FoundAsync(new()));
        Assert.Equal(["written"], await FoundAsync(new(Node: "writer")));
        Assert.Equal(["failed", "passed", "fixed"], await FoundAsync(new(Kind: NodeKind.Classifier)));
        Assert.Equal(["failed"], await FoundAsync(new(Metric: "short", Outcome: Outcome.Fail)));
        Assert.Equal(["passed"], await FoundAsync(new(Metric: "short", Outcome: Outcome.Pass)));
        Assert.Equal(["passed"], await FoundAsync(new(Metric: "short", Label: true)));
        Assert.Equal(["failed"], await FoundAsync(new(Metric: "short", Label: false)));
        Assert.Equal(["fixed"], await FoundAsync(new(Corrected: true)));
        Assert.Equal(["failed", "passed", "written"], await FoundAsync(new(Corrected: false)));
        Assert.Equal(["passed"], await FoundAsync(new(Since: Noon.AddMinutes(30))));
        Assert.Equal(["failed", "fixed", "written"], await FoundAsync(new(Until: Noon.AddHours(1))));
        Assert.Equal(["failed"], await FoundAsync(new(Session: "s1")));
        Assert.Equal(["failed"], await FoundAsync(new(EndUser: "eve")));
        Assert.Equal(["failed", "passed"], await FoundAsync(new(Feedback: "thumbs")));
        Assert.Equal(["passed"], await FoundAsync(new(Feedback: "thumbs", FeedbackValue: "\"up\"")));
        // The newest one has no input, so the limit of two leaves one item.
        var newest = await Store.Datasets.SelectAsync(Home, new(Limit: 2), Ct);
        Assert.Equal((1, null, 1), (newest.Items.Count, newest.Matched, newest.WithoutInput));
        Assert.Empty((await Store.Datasets.SelectAsync((await Store.Projects.EnsureAsync("other", Noon, Ct)).Id, new(), Ct)).Items);

        var item = Assert.Single((await Store.Datasets.SelectAsync(Home, new(Corrected: true, Split: "test"), Ct)).Items);
        Assert.Equal(("right", "test", fixedOne.Key, """{"node":"intent","kind":"classifier"}"""),
            (item.Expected, item.Split, item.Source!.Value, item.Attributes));
        Assert.Null(Assert.Single((await Store.Datasets.SelectAsync(Home, new(Session: "s1"), Ct)).Items).Expected);
        var output = Assert.Single(
            (await Store.Datasets.SelectAsync(Home, new(Session: "s1", Expected: ExpectedFrom.Output, KeepOutput: true), Ct)).Items);
        Assert.Equal(("tracking", "eve", """{"node":"intent","kind":"classifier","output":"tracking"}"""),
            (output.Expected, output.EndUser, output.Attributes));

        async Task<IEnumerable<string>> FoundAsync(SpanQuery query) =>
            (await Store.Datasets.SelectAsync(Home, query, Ct)).Items.Select(each => each.Input);
    }

    [Fact]
    public async Task A_sample_is_the_same_for_a_seed_and_spread_over_all()
    {
        await Store.AddRawSpansAsync(
            Home, [.. Enumerable.Range(0, 400)
                .Select(i => new NewSpan { Key = new("trace", "span-" + i), Node = "n",
                    Input = i.ToString(System.Globalization.CultureInfo.InvariantCulture), StartedAt = Noon })], Noon, Ct);

        var one = await DrawAsync(1);
        var again = await DrawAsync(1);
        var two = await DrawAsync(2);

        Assert.Equal(one, again);
        Assert.Equal(100, one.Distinct().Count());
        Assert.NotEqual(one, two);
        // Which ones they are depends on nothing but the seed and the ids: the same in both databases.
        Assert.Equal(20_272, one.Sum());
        Assert.InRange(one.Average(), 150, 250);
        Assert.Equal(one.Order(), one);

        async Task<int[]> DrawAsync(long seed)
        {
            var selection = await Store.Datasets.SelectAsync(Home, new(Sample: true, Seed: seed, Limit: 100), Ct);
            Assert.Equal(400, selection.Matched);
            return [.. selection.Items.Select(item => int.Parse(item.Input, System.Globalization.CultureInfo.InvariantCulture))];
        }
    }
}
