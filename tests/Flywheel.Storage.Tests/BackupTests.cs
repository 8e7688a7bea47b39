using System.Collections.Concurrent;
using Flywheel.Core;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;
using Flywheel.Storage.Sqlite;
using Microsoft.Data.Sqlite;

namespace Flywheel.Storage.Tests;

public sealed class BackupTests : IDisposable
{
    static readonly DateTimeOffset Noon = new(2026, 3, 14, 12, 0, 0, TimeSpan.Zero);

    readonly string _folder = TestFolder.New("backup");

    static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_backup_under_load_is_whole_and_has_every_span_acknowledged_before_it_began()
    {
        await using var store = await OpenAsync("live.db");
        await store.Datasets.CreateAsync(ProjectId.Default, "gold", null, "ann", Noon, Ct);
        var acknowledged = new ConcurrentBag<SpanKey>();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var writers = Enumerable.Range(0, 4).Select(writer => Task.Run(async () =>
        {
            for (var i = 0; !stop.IsCancellationRequested; i++)
            {
                var spans = Enumerable.Range(0, 20).Select(each => Span($"w{writer}-{i}", each)).ToArray();
                await store.AddRawSpansAsync(ProjectId.Default, spans, Noon, CancellationToken.None);
                foreach (var span in spans)
                    acknowledged.Add(span.Key);
            }
        }, Ct)).ToArray();
        while (acknowledged.Count < 2_000)
            await Task.Delay(5, Ct);

        SpanKey[] before;
        BackupReport report;
        int written;
        do
        {
            File.Delete(At("copied.db"));
            File.Delete(At("backup.db"));
            before = [.. acknowledged];
            // What a plain copy of the file gives, made in the same moment: the log holds what is newest.
            File.Copy(At("live.db"), At("copied.db"));
            report = await SqliteBackup.CreateAsync(At("live.db"), At("backup.db"), null, Ct);
            written = acknowledged.Count;
        }
        while (written == before.Length); // on a busy machine no writer may have had its turn: that proves nothing
        await stop.CancelAsync();
        await Task.WhenAll(writers);

        Assert.True(report.IsGood);
        Assert.Equal(["backup.db", "copied.db", "live.db", "live.db-shm", "live.db-wal"],
            Directory.GetFiles(_folder).Select(Path.GetFileName).Order());
        Assert.True((await SqliteBackup.VerifyAsync(At("backup.db"), Ct)).IsGood);
        Assert.Empty(before.Except(await KeysAsync("backup.db")));
        Assert.NotEmpty(before.Except(await KeysAsync("copied.db")));
        await using var restored = await OpenAsync("backup.db");
        Assert.Null(await restored.FindDamageAsync(Ct));
        Assert.Null(await restored.Audit.VerifyAsync(ProjectId.Default, Ct));
        Assert.Equal("dataset.create", Assert.Single(await restored.Audit.ListAsync(ProjectId.Default, 10, Ct)).Action);
        Assert.Equal([SpanInsertResult.Stored], await restored.AddRawSpansAsync(ProjectId.Default, [Span("after", 0)], Noon, Ct));
    }

    [Fact]
    public async Task Nothing_is_overwritten_and_nothing_is_left_of_a_backup_that_failed()
    {
        await using (var store = await OpenAsync("live.db"))
            await store.AddRawSpansAsync(ProjectId.Default, [Span("t", 0)], Noon, Ct);
        await File.WriteAllTextAsync(At("there.db"), "mine", Ct);

        var there = await Assert.ThrowsAsync<StoreException>(() => SqliteBackup.CreateAsync(At("live.db"), At("there.db"), null, Ct));
        await Assert.ThrowsAsync<StoreException>(() => SqliteBackup.CreateAsync(At("none.db"), At("new.db"), null, Ct));
        await Assert.ThrowsAsync<StoreException>(() => SqliteBackup.CreateAsync(At("live.db"), At("no/folder/new.db"), null, Ct));
        await Assert.ThrowsAsync<StoreException>(() => SqliteBackup.VerifyAsync(At("there.db"), Ct));

        Assert.Contains("overwrites nothing", there.Message, StringComparison.Ordinal);
        Assert.Equal("mine", await File.ReadAllTextAsync(At("there.db"), Ct));
        Assert.Equal(["live.db", "there.db"], Directory.GetFiles(_folder).Select(Path.GetFileName).Order());
    }

    [Fact]
    public async Task A_damaged_or_doctored_backup_is_not_good_and_a_doctored_database_gives_none()
    {
        await using (var store = await OpenAsync("live.db"))
        {
            await store.AddRawSpansAsync(ProjectId.Default, [.. Enumerable.Range(0, 500).Select(i => Span("t", i))], Noon, Ct);
            for (var i = 0; i < 3; i++)
                await store.Datasets.CreateAsync(ProjectId.Default, "d" + i, null, "ann", Noon, Ct);
        }
        await SqliteBackup.CreateAsync(At("live.db"), At("good.db"), null, Ct);
        File.Copy(At("good.db"), At("torn.db"));
        await using (var torn = File.OpenWrite(At("torn.db")))
        {
            torn.Seek(torn.Length / 2, SeekOrigin.Begin);
            await torn.WriteAsync(new byte[16_384], Ct);
        }
        File.Copy(At("good.db"), At("doctored.db"));
        Sql("doctored.db", "DROP TRIGGER audit_keeps; UPDATE audit SET actor = 'bo' WHERE id = 2");
        File.Copy(At("good.db"), At("miscounted.db"));
        Sql("miscounted.db", "INSERT INTO metric_count VALUES (1, 1, 'v', 'n', 0, 'pass', -1, 0, 7)");

        Assert.True((await SqliteBackup.VerifyAsync(At("good.db"), Ct)).IsGood);
        Assert.False(await GoodAsync("torn.db"));
        Assert.Equal(["the audit of project `default` is broken from entry 2 on"],
            (await SqliteBackup.VerifyAsync(At("doctored.db"), Ct)).Problems);
        Assert.Equal(["1 counts of metric_cell are not in metric_cell_recomputed"],
            (await SqliteBackup.VerifyAsync(At("miscounted.db"), Ct)).Problems);
        var refused = await Assert.ThrowsAsync<StoreException>(() => SqliteBackup.CreateAsync(At("doctored.db"), At("again.db"), null, Ct));
        Assert.Contains("entry 2", refused.Message, StringComparison.Ordinal);
        Assert.Equal(
            ["doctored.db", "good.db", "live.db", "miscounted.db", "torn.db"],
            Directory.GetFiles(_folder).Select(Path.GetFileName).Where(name => !name!.StartsWith("live.db-", StringComparison.Ordinal))
                .Order());
    }

    async Task<bool> GoodAsync(string name)
    {
        try
        {
            return (await SqliteBackup.VerifyAsync(At(name), Ct)).IsGood;
        }
        catch (StoreException)
        {
            return false;
        }
    }

    string At(string name) => Path.Combine(_folder, name);

    async Task<IFlywheelStore> OpenAsync(string name)
    {
        var store = await FlywheelStore.OpenAsync("sqlite:" + At(name), null, Ct);
        await store.MigrateAsync(Ct);
        return store;
    }

    static NewSpan Span(string trace, int i) => new()
    {
        Key = new(trace, "span-" + i), Node = "intent", Input = new string('x', 500), Output = "billing", StartedAt = Noon,
    };

    async Task<HashSet<SpanKey>> KeysAsync(string name)
    {
        await using var connection = new SqliteConnection($"Data Source={At(name)};Mode=ReadOnly;Pooling=False");
        var keys = new HashSet<SpanKey>();
        try
        {
            await connection.OpenAsync(Ct);
            await using var command = connection.CreateCommand();
            command.CommandText = "SELECT trace_id, span_id FROM span";
            await using var reader = await command.ExecuteReaderAsync(Ct);
            while (await reader.ReadAsync(Ct))
                keys.Add(new(reader.GetString(0), reader.GetString(1)));
        }
        catch (SqliteException)
        {
            // Pages of different moments: what could be read is what there is.
        }
        return keys;
    }

    void Sql(string name, string sql)
    {
        using var connection = new SqliteConnection($"Data Source={At(name)};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
