using Flywheel.Storage.Schema;

namespace Flywheel.Storage.Tests;

public abstract class MigrationConformance(ITestDatabases databases) : StoreConformance(databases)
{
    static readonly Migration Next = new(
        9001, "9001_next", "CREATE TABLE extra (id INTEGER PRIMARY KEY); INSERT INTO extra (id) SELECT count(*) FROM span");

    static readonly Migration Faulty = new(
        9002, "9002_faulty", "CREATE TABLE faulty (id INTEGER PRIMARY KEY); INSERT INTO missing (id) VALUES (1)");

    static StoreOptions With(params Migration[] further) => new() { FurtherMigrations = further };

    [Fact]
    public async Task Several_processes_may_start_at_once()
    {
        var url = await Databases.NewEmptyAsync();

        var applied = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            await using var store = await FlywheelStore.OpenAsync(url, null, Ct);
            return await store.MigrateAsync(Ct);
        })));

        var all = applied.SelectMany(names => names).ToArray();
        Assert.Equal("0001_schema", all[0]);
        Assert.Equal(all.Distinct().Order(StringComparer.Ordinal), all);
        await using var store = await FlywheelStore.OpenAsync(url, null, Ct);
        Assert.Empty(await store.MigrateAsync(Ct));
        await store.PingAsync(Ct);
        Assert.Equal("default", Assert.Single(await store.Projects.ListAsync(Ct)).Name);
    }

    [Fact]
    public async Task A_database_of_this_version_gets_what_is_new_and_keeps_what_it_has()
    {
        var span = await SpanAsync();
        await ReopenAsync(With(Next));

        Assert.Equal(["9001_next"], await Store.MigrateAsync(Ct));

        Assert.Equal(1, Convert.ToInt64(await SqlAsync("SELECT id FROM extra"), System.Globalization.CultureInfo.InvariantCulture));
        Assert.NotNull(await Store.Spans.FindAsync(Home, span.Key, Ct));
        Assert.Empty(await Store.MigrateAsync(Ct));
        Assert.Equal(1, await CountAsync("extra"));
    }

    [Fact]
    public async Task An_upgrade_that_fails_changes_nothing_and_works_later()
    {
        await ReopenAsync(With(Next, Faulty));

        await Assert.ThrowsAnyAsync<System.Data.Common.DbException>(() => Store.MigrateAsync(Ct));

        Assert.Equal(0, await CountAsync("schema_migration WHERE number > 9000"));
        await Assert.ThrowsAnyAsync<System.Data.Common.DbException>(() => CountAsync("extra"));
        await SpanAsync();
        await ReopenAsync(With(Next));
        Assert.Equal(["9001_next"], await Store.MigrateAsync(Ct));
        Assert.Equal(1, await CountAsync("extra"));
    }

    [Fact]
    public async Task A_newer_database_is_refused_with_the_reason()
    {
        await ReopenAsync(With(Next));
        await Store.MigrateAsync(Ct);

        var refused = await Assert.ThrowsAsync<StoreException>(() => OpenAsync());
        Assert.Contains("9001_next", refused.Message);
        Assert.Contains("newer", refused.Message);
        await SqlAsync("INSERT INTO schema_migration (number, name, applied_at) VALUES (9999, '9999_future', 0)");
        await Assert.ThrowsAsync<StoreException>(() => Store.MigrateAsync(Ct));
    }

    [Fact]
    public async Task A_database_of_an_unreleased_program_is_refused_with_the_reason()
    {
        await SqlAsync("UPDATE schema_migration SET name = '0001_foundation'");

        var refused = await Assert.ThrowsAsync<StoreException>(() => OpenAsync());
        Assert.Contains("0001_foundation", refused.Message);
        Assert.Contains("unreleased", refused.Message);
    }

    [Fact]
    public async Task The_description_names_the_database_and_no_secret()
    {
        Assert.StartsWith(Url.StartsWith("sqlite:", StringComparison.Ordinal) ? "SQLite 3" : "PostgreSQL ", Store.Description);
        Assert.DoesNotContain("secret", (await OpenAsync()).Description, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Spans_wait_until_they_are_paired_and_an_earlier_one_can_wait_again()
    {
        await MetricAsync();
        foreach (var node in new[] { "a", "b", "c", "d" })
            await SqlAsync($"INSERT INTO span (project_id, node) VALUES (1, '{node}')");
        var nodes = new List<string>();
        await Store.Jobs.FanOutAsync(2, Note, DateTimeOffset.UtcNow, Ct);
        await SqlAsync(Url.StartsWith("sqlite:", StringComparison.Ordinal)
            ? "INSERT INTO fan_out (span_id) SELECT id FROM span WHERE node = 'a'"
            : "INSERT INTO fan_out (project_id, span_ids) SELECT 1, ARRAY[id] FROM span WHERE node = 'a'");

        Assert.Equal(3, (await Store.Jobs.CountsAsync(DateTimeOffset.UtcNow, Ct)).PendingSpans);
        foreach (var limit in new[] { 1, 10, 10 })
            await Store.Jobs.FanOutAsync(limit, Note, DateTimeOffset.UtcNow, Ct);

        Assert.Equal(["a", "a", "b", "c", "d"], nodes.Order(StringComparer.Ordinal));
        Assert.Equal(0, (await Store.Jobs.CountsAsync(DateTimeOffset.UtcNow, Ct)).PendingSpans);

        IReadOnlyList<Core.Jobs.Pairing> Note(Core.Jobs.PendingSpan span, IReadOnlyList<Core.Metrics.Metric> metrics)
        {
            nodes.Add(span.Node);
            return [];
        }
    }

    [Theory]
    [InlineData("INSERT INTO span (project_id, node, kind) VALUES (1, 'a', 'gizmo')", false)]
    [InlineData("INSERT INTO span (project_id, node, kind) VALUES (1, 'a', '')", false)]
    [InlineData("INSERT INTO span (project_id, node, kind) VALUES (1, 'a', 'other'), (1, 'a', 'classifier'), (1, 'a', 'writer'), "
        + "(1, 'a', 'codegen'), (1, 'a', 'retriever'), (1, 'a', 'tool')", true)]
    [InlineData("INSERT INTO verdict (project_id, span_id, metric_id, metric_version_id, validator_version, outcome, created_at) "
        + "VALUES (1, 1, 1, 1, 'v', 'maybe', 1)", false)]
    [InlineData("INSERT INTO verdict (project_id, span_id, metric_id, metric_version_id, validator_version, outcome, reason, created_at) "
        + "VALUES (1, 1, 1, 1, 'v', 'skipped', 'why', 1)", true)]
    public async Task Words_are_checked(string insert, bool holds)
    {
        await MetricAsync();
        await SqlAsync("INSERT INTO span (project_id, node) VALUES (1, 'a')");

        if (holds)
            await SqlAsync(insert);
        else
            Assert.Contains("check constraint",
                (await Assert.ThrowsAnyAsync<System.Data.Common.DbException>(() => SqlAsync(insert))).Message,
                StringComparison.OrdinalIgnoreCase);
    }
}
