using System.Globalization;
using System.Text.Json;
using Flywheel.Core;
using Flywheel.Core.Jobs;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Microsoft.Data.Sqlite;

namespace Flywheel.Storage.Tests;

/// <summary>Files of earlier versions, with what was going on in them.</summary>
public sealed class SqliteUpgrades(SqliteFiles files)
{
    static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Spans_that_waited_before_the_cursor_go_on_waiting_and_paired_ones_do_not()
    {
        var url = await files.NewEmptyAsync();
        using (var old = await MadeByAsync(url, last: 21))
        {
            Run(old, "INSERT INTO span (project_id, node) VALUES (1, 'a'), (1, 'b'), (1, 'c'), (1, 'd')");
            Run(old, "DELETE FROM fan_out WHERE span_id IN (1, 2)");
        }
        await using var store = await FlywheelStore.OpenAsync(url, null, Ct);
        Assert.Equal("0022_span_cursor", (await store.MigrateAsync(Ct))[0]);
        await MetricAsync(store);
        using (var today = Opened(url))
            Run(today, "INSERT INTO span (project_id, node) VALUES (1, 'e'), (1, 'f')");

        var nodes = new List<string>();
        Assert.Equal(4, (await store.Jobs.CountsAsync(DateTimeOffset.UtcNow, Ct)).PendingSpans);
        // Across the seam: one of the old list, one of it, then the others.
        foreach (var limit in new[] { 1, 2, 10, 10 })
            await store.Jobs.FanOutAsync(limit, Note, DateTimeOffset.UtcNow, Ct);

        Assert.Equal(["c", "d", "e", "f"], nodes);
        Assert.Equal(0, (await store.Jobs.CountsAsync(DateTimeOffset.UtcNow, Ct)).PendingSpans);

        IReadOnlyList<Pairing> Note(PendingSpan span, IReadOnlyList<Metric> metrics)
        {
            nodes.Add(span.Node);
            return [];
        }
    }

    [Theory]
    [InlineData("INSERT INTO span (project_id, node, kind) VALUES (1, 'a', 'gizmo')", false)]
    [InlineData("INSERT INTO span (project_id, node, kind) VALUES (1, 'a', '')", false)]
    [InlineData("INSERT INTO span (project_id, node, kind) VALUES (1, 'a', 'other'), (1, 'a', 'classifier'), (1, 'a', 'writer'), (1, 'a', 'codegen'), (1, 'a', 'retriever'), (1, 'a', 'tool')", true)]
    [InlineData("INSERT INTO verdict (project_id, span_id, metric_id, metric_version_id, validator_version, outcome, created_at) VALUES (1, 1, 1, 1, 'v', 'maybe', 1)", false)]
    [InlineData("INSERT INTO verdict (project_id, span_id, metric_id, metric_version_id, validator_version, outcome, reason, created_at) VALUES (1, 1, 1, 1, 'v', 'skipped', 'why', 1)", true)]
    public async Task Words_are_checked_as_before(string insert, bool holds)
    {
        var url = await files.NewEmptyAsync();
        using (var old = await MadeByAsync(url, last: 21))
            Run(old, "INSERT INTO span (project_id, node) VALUES (1, 'a')");
        await using (var store = await FlywheelStore.OpenAsync(url, null, Ct))
        {
            await store.MigrateAsync(Ct);
            await MetricAsync(store);
        }
        using var today = Opened(url);

        if (holds)
            Run(today, insert);
        else
            Assert.Contains("CHECK constraint failed", Assert.Throws<SqliteException>(() => Run(today, insert)).Message);
        using var check = today.CreateCommand();
        check.CommandText = "PRAGMA integrity_check";
        Assert.Equal("ok", check.ExecuteScalar());
    }

    static Task<Metric?> MetricAsync(IFlywheelStore store) => store.Metrics.AddAsync(
        ProjectId.Default,
        new("short", "Is the answer short?", MetricSubject.Output, null, null, 1, new("length", JsonSerializer.SerializeToElement(new { max = 400 })), "ann"),
        expectNew: false, DateTimeOffset.UtcNow, Ct);

    /// <summary>A file as the version with this migration as its last one left it.</summary>
    static async Task<SqliteConnection> MadeByAsync(string url, int last)
    {
        var file = Opened(url, create: true);
        Run(file, "CREATE TABLE schema_migration (number INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at INTEGER NOT NULL) STRICT");
        var assembly = typeof(FlywheelStore).Assembly;
        foreach (var resource in assembly.GetManifestResourceNames().Where(name => name.StartsWith("sqlite/", StringComparison.Ordinal)).Order(StringComparer.Ordinal))
        {
            var name = resource["sqlite/".Length..^".sql".Length];
            var number = int.Parse(name[..4], CultureInfo.InvariantCulture);
            if (number > last)
                continue;
            using var script = new StreamReader(assembly.GetManifestResourceStream(resource)!);
            Run(file, await script.ReadToEndAsync(Ct));
            Run(file, $"INSERT INTO schema_migration VALUES ({number}, '{name}', 0)");
        }
        return file;
    }

    static SqliteConnection Opened(string url, bool create = false)
    {
        var file = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = url["sqlite:".Length..], Pooling = false, Mode = create ? SqliteOpenMode.ReadWriteCreate : SqliteOpenMode.ReadWrite,
        }.ToString());
        file.Open();
        return file;
    }

    static void Run(SqliteConnection file, string sql)
    {
        using var command = file.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
