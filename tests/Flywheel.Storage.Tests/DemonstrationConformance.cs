using Flywheel.Core.Retrieval;

namespace Flywheel.Storage.Tests;

public abstract class DemonstrationConformance(ITestDatabases databases) : StoreConformance(databases)
{
    static Demonstration Imported(int i = 0, DemonstrationState state = DemonstrationState.Pending) => new(
        Guid.CreateVersion7(), Home, DemonstrationPurpose.Task, "intent", $"in {i}", $"out {i}", null, null, 0, null, null, state, "ann",
        Noon.AddSeconds(i), state == DemonstrationState.Approved ? Noon : null, state == DemonstrationState.Approved ? "ann" : null, null,
        null);

    static StoredVector Vector(string fingerprint, params sbyte[] values) => new(fingerprint, 0.5f, values);

    [Fact]
    public async Task An_imported_demonstration_comes_back_as_it_was()
    {
        var one = Imported() with
        {
            RejectedOutput = "bad", Reason = "why", Disagreement = 0.25, EndUser = "u", State = DemonstrationState.Recalled,
            ApprovedAt = Noon, ApprovedBy = "bob", RecalledAt = Noon.AddDays(1), RecalledBy = "cleo", Purpose = DemonstrationPurpose.Judge,
        };

        await Store.Demonstrations.AddAsync([one], Ct);
        await Store.Demonstrations.AddAsync([one with { Output = "second import" }], Ct);

        Assert.Equal(one, await Store.Demonstrations.GetAsync(Home, one.Id, Ct));
        Assert.Null(await Store.Demonstrations.GetAsync(Home, Guid.NewGuid(), Ct));
    }

    [Fact]
    public async Task They_are_listed_newest_first_page_by_page()
    {
        var all = Enumerable.Range(0, 7).Select(i => Imported(i / 2)).ToArray();
        await Store.Demonstrations.AddAsync(all, Ct);

        var seen = new List<Demonstration>();
        string? cursor = null;
        do
        {
            var page = await Store.Demonstrations.ListAsync(Home, new(Limit: 3, Cursor: cursor), Ct);
            seen.AddRange(page.Items);
            cursor = page.Next;
        }
        while (cursor is not null);

        Assert.Equal(7, seen.Select(one => one.Id).Distinct().Count());
        Assert.Equal(all.Select(one => one.CreatedAt).OrderDescending(), seen.Select(one => one.CreatedAt));
        Assert.Empty((await Store.Demonstrations.ListAsync(Home, new(State: DemonstrationState.Approved), Ct)).Items);
        Assert.Empty((await Store.Demonstrations.ListAsync(Home, new(Target: "x"), Ct)).Items);
        Assert.Equal(7, (await Store.Demonstrations.ListAsync(Home, new(DemonstrationPurpose.Task, "intent"), Ct)).Items.Count);
    }

    [Fact]
    public async Task Approval_and_recall_say_who_and_when_and_are_audited()
    {
        var (one, two) = (Imported(1), Imported(2));
        await Store.Demonstrations.AddAsync([one, two], Ct);

        Assert.Equal(2, await Store.Demonstrations.ApproveAsync(Home, [one.Id, two.Id, Guid.NewGuid()], "bob", Noon.AddHours(1), Ct));
        Assert.Equal(0, await Store.Demonstrations.ApproveAsync(Home, [one.Id], "eve", Noon.AddHours(2), Ct));
        Assert.Equal(1, await Store.Demonstrations.RecallAsync(Home, [one.Id], "cleo", Noon.AddHours(3), Ct));

        var recalled = (await Store.Demonstrations.GetAsync(Home, one.Id, Ct))!;
        Assert.Equal(
            (DemonstrationState.Recalled, Noon.AddHours(1), "bob", Noon.AddHours(3), "cleo"),
            (recalled.State, recalled.ApprovedAt, recalled.ApprovedBy, recalled.RecalledAt, recalled.RecalledBy));

        Assert.Equal(1, await Store.Demonstrations.ApproveAsync(Home, [one.Id], "dan", Noon.AddHours(4), Ct));
        var again = (await Store.Demonstrations.GetAsync(Home, one.Id, Ct))!;
        Assert.Equal((Noon.AddHours(4), "dan", null), (again.ApprovedAt, again.ApprovedBy, again.RecalledAt));

        var audit = await Store.Audit.ListAsync(Home, 10, Ct);
        Assert.Equal(
            ["demonstration.approve", "demonstration.recall", "demonstration.approve", "demonstration.approve"],
            audit.Select(entry => entry.Action));
        Assert.Null(await Store.Audit.VerifyAsync(Home, Ct));
    }

    [Fact]
    public async Task Indexes_are_fed_with_what_is_approved_then_with_what_changes()
    {
        var (one, two, three) = (Imported(1), Imported(2), Imported(3));
        await Store.Demonstrations.AddAsync([one, two, three], Ct);
        Assert.Equal(0, await Store.Demonstrations.LatestChangeAsync(Ct));
        await Store.Demonstrations.ApproveAsync(Home, [one.Id], "ann", Noon, Ct);
        await Store.Demonstrations.ApproveAsync(Home, [two.Id], "ann", Noon, Ct);
        await Store.Demonstrations.ApproveAsync(Home, [three.Id], "ann", Noon, Ct);
        await Store.Demonstrations.RecallAsync(Home, [two.Id], "ann", Noon, Ct);

        var start = await Store.Demonstrations.ChangesAsync(0, "f", 10, Ct);
        Assert.Equal([one.Id, three.Id], start.Select(change => change.Id));
        Assert.All(start, change => Assert.Equal((Home, null), (change.Project, change.Vector)));
        var latest = await Store.Demonstrations.LatestChangeAsync(Ct);
        Assert.Empty(await Store.Demonstrations.ChangesAsync(latest, "f", 10, Ct));

        await Store.Demonstrations.PutVectorsAsync([(Home, one.Id, Vector("f", 1, -128, 127))], Noon, Ct);
        await Store.Demonstrations.RecallAsync(Home, [three.Id], "ann", Noon, Ct);
        await SqlAsync($"DELETE FROM demonstration WHERE id = '{two.Id:D}'");

        Assert.True(await Store.Demonstrations.LatestChangeAsync(Ct) > latest);
        var changes = await Store.Demonstrations.ChangesAsync(latest, "f", 10, Ct);
        Assert.Equal([one.Id, three.Id, two.Id], changes.Select(change => change.Id));
        Assert.Equal(new sbyte[] { 1, -128, 127 }, changes[0].Vector!.Values);
        Assert.Equal(("f", 0.5f), (changes[0].Vector!.Fingerprint, changes[0].Vector!.Scale));
        Assert.Equal(DemonstrationState.Recalled, changes[1].Demonstration!.State);
        Assert.Null(changes[2].Demonstration);
        Assert.Null((await Store.Demonstrations.ChangesAsync(latest, "other", 10, Ct))[0].Vector);
        Assert.Equal([one.Id], (await Store.Demonstrations.ChangesAsync(latest, "f", 1, Ct)).Select(change => change.Id));
    }

    [Fact]
    public async Task A_change_is_seen_at_once_where_it_was_made_and_soon_elsewhere()
    {
        var one = Imported(1);
        await using var other = await OpenAsync();
        await Store.Demonstrations.AddAsync([one], Ct);
        Assert.Equal(0, await Store.Demonstrations.LatestChangeAsync(Ct));
        Assert.Equal(0, await other.Demonstrations.LatestChangeAsync(Ct));

        await Store.Demonstrations.ApproveAsync(Home, [one.Id], "ann", Noon, Ct);
        var change = await Store.Demonstrations.LatestChangeAsync(Ct);
        Assert.True(change > 0);
        await Task.Delay(TimeSpan.FromMilliseconds(101), Ct);
        Assert.Equal(change, await other.Demonstrations.LatestChangeAsync(Ct));

        await Store.Demonstrations.RecallAsync(Home, [one.Id], "ann", Noon, Ct);
        Assert.True(await Store.Demonstrations.LatestChangeAsync(Ct) > change);
    }

    [Fact]
    public async Task Who_follows_the_changes_misses_none_while_many_write()
    {
        var all = Enumerable.Range(0, 120).Select(i => Imported(i)).ToArray();
        await Store.Demonstrations.AddAsync(all, Ct);
        await using var other = await OpenAsync();

        var writers = Task.WhenAll(all.Chunk(3).Select((chunk, i) => Task.Run(() =>
            (i % 2 == 0 ? Store : other).Demonstrations.ApproveAsync(Home, [.. chunk.Select(one => one.Id)], "ann", Noon, Ct))));
        var seen = new HashSet<Guid>();
        long at = 0;
        while (true)
        {
            var ended = writers.IsCompleted;
            var changes = await Store.Demonstrations.ChangesAsync(at, "f", 7, Ct);
            foreach (var change in changes)
                (at, _) = (change.Sequence, seen.Add(change.Id));
            if (ended && changes.Count == 0)
                break;
        }
        await writers;

        Assert.Equal(120, seen.Count);
    }

    [Fact]
    public async Task Approved_ones_without_a_vector_are_found()
    {
        var (one, two, pending) = (Imported(1, DemonstrationState.Approved), Imported(2, DemonstrationState.Approved), Imported(3));
        await Store.Demonstrations.AddAsync([one, two, pending], Ct);
        await Store.Demonstrations.PutVectorsAsync(
            [(Home, one.Id, Vector("f", 1)), (Home, two.Id, Vector("g", 2)), (Home, Guid.NewGuid(), Vector("f", 3))], Noon, Ct);
        await Store.Demonstrations.PutVectorsAsync([(Home, one.Id, Vector("f", 9))], Noon, Ct);

        Assert.Equal([two.Id], (await Store.Demonstrations.WithoutVectorAsync("f", 10, Ct)).Select(row => row.Id));
        Assert.Equal(2, (await Store.Demonstrations.WithoutVectorAsync("h", 10, Ct)).Count);
        Assert.Single(await Store.Demonstrations.WithoutVectorAsync("h", 1, Ct));
        Assert.Equal(2, await CountAsync("embedding"));
        Assert.Equal(
            new sbyte[] { 9 },
            (await Store.Demonstrations.ChangesAsync(0, "f", 10, Ct)).Single(change => change.Id == one.Id).Vector!.Values);
    }
}
