using System.Diagnostics;
using Microsoft.Data.Sqlite;
using Npgsql;
using NpgsqlTypes;

namespace Flywheel.Bench.Ingest;

/// <summary>The same rows into a plain table with two indexes and nothing else: no HTTP, no triggers, no checks.</summary>
static class BareStores
{
    const string Columns = "span_id text primary key, trace_id text not null, node text not null, kind text not null, started_at bigint not null, duration_ms double precision, session text, model text, input text, output text, attributes text";
    const string Names = "span_id, trace_id, node, kind, started_at, duration_ms, session, model, input, output, attributes";

    /// <returns>Rows a second, each batch durable (WAL, synchronous=FULL) before the next.</returns>
    public static double Sqlite(SpanSource source, int batch, TimeSpan duration)
    {
        var folder = Directory.CreateTempSubdirectory("flywheel-bench-");
        try
        {
            using var connection = new SqliteConnection($"Data Source={Path.Combine(folder.FullName, "bare.db")};Pooling=False");
            connection.Open();
            Execute(connection, "pragma journal_mode=wal; pragma synchronous=full; pragma cache_size=-200000");
            Execute(connection, $"create table span({Columns}); create index span_trace on span(trace_id); create index span_node on span(node, started_at)");
            using var insert = connection.CreateCommand();
            insert.CommandText = $"insert into span({Names}) values ($p0,$p1,$p2,$p3,$p4,$p5,$p6,$p7,$p8,$p9,$p10)";
            for (var i = 0; i < 11; i++)
                insert.Parameters.Add(new SqliteParameter("$p" + i, null));
            insert.Prepare();
            void Write()
            {
                using var transaction = connection.BeginTransaction();
                insert.Transaction = transaction;
                for (var i = 0; i < batch; i++)
                {
                    var values = Values(source.Next());
                    for (var column = 0; column < values.Length; column++)
                        insert.Parameters[column].Value = values[column];
                    insert.ExecuteNonQuery();
                }
                transaction.Commit();
            }
            for (var warm = 0; warm < Math.Max(3, 3_000 / batch); warm++)
                Write();
            var started = Stopwatch.GetTimestamp();
            long rows = 0;
            while (Stopwatch.GetElapsedTime(started) < duration)
            {
                Write();
                rows += batch;
            }
            return rows / Stopwatch.GetElapsedTime(started).TotalSeconds;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <returns>Rows a second by binary COPY, one commit a batch, from <paramref name="clients"/> connections.</returns>
    public static async Task<double> PostgresCopyAsync(string url, SpanSource source, int batch, int clients, TimeSpan duration)
    {
        await using var data = NpgsqlDataSource.Create(url);
        await using (var reset = data.CreateCommand(
            $"drop table if exists bare_span; create table bare_span({Columns}); create index on bare_span(trace_id); create index on bare_span(node, started_at)"))
            await reset.ExecuteNonQueryAsync();
        var started = Stopwatch.GetTimestamp();
        var rows = await Task.WhenAll(Enumerable.Range(0, clients).Select(_ => Task.Run(async () =>
        {
            await using var connection = await data.OpenConnectionAsync();
            long written = 0;
            while (Stopwatch.GetElapsedTime(started) < duration)
            {
                await using var copy = await connection.BeginBinaryImportAsync($"copy bare_span({Names}) from stdin (format binary)");
                for (var i = 0; i < batch; i++)
                {
                    await copy.StartRowAsync();
                    foreach (var value in Values(source.Next()))
                        await copy.WriteAsync(value, value switch { long => NpgsqlDbType.Bigint, double => NpgsqlDbType.Double, _ => NpgsqlDbType.Text });
                }
                await copy.CompleteAsync();
                written += batch;
            }
            return written;
        })));
        var rate = rows.Sum() / Stopwatch.GetElapsedTime(started).TotalSeconds;
        await using var drop = data.CreateCommand("drop table bare_span");
        await drop.ExecuteNonQueryAsync();
        return rate;
    }

    /// <returns>Rows a second of single committed INSERTs from several connections.</returns>
    public static async Task<double> PostgresSingleAsync(string url, SpanSource source, int clients, TimeSpan duration)
    {
        await using var data = NpgsqlDataSource.Create(url);
        await using (var reset = data.CreateCommand(
            $"drop table if exists bare_span; create table bare_span({Columns}); create index on bare_span(trace_id); create index on bare_span(node, started_at)"))
            await reset.ExecuteNonQueryAsync();
        var started = Stopwatch.GetTimestamp();
        var rows = await Task.WhenAll(Enumerable.Range(0, clients).Select(_ => Task.Run(async () =>
        {
            await using var connection = await data.OpenConnectionAsync();
            await using var insert = new NpgsqlCommand($"insert into bare_span({Names}) values ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11)", connection);
            for (var i = 0; i < 11; i++)
                insert.Parameters.Add(new NpgsqlParameter { NpgsqlDbType = i == 4 ? NpgsqlDbType.Bigint : i == 5 ? NpgsqlDbType.Double : NpgsqlDbType.Text });
            await insert.PrepareAsync();
            long written = 0;
            while (Stopwatch.GetElapsedTime(started) < duration)
            {
                var values = Values(source.Next());
                for (var column = 0; column < values.Length; column++)
                    insert.Parameters[column].Value = values[column];
                await insert.ExecuteNonQueryAsync();
                written++;
            }
            return written;
        })));
        return rows.Sum() / Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    /// <summary>The product's columns, in the order in which <see cref="OtlpSource.Rows"/> reads them; the second is the span's id.</summary>
    public const string SpanNames =
        "trace_id, span_id, parent_id, node, kind, started_at, duration_ms, received_at, session, end_user, model, input_tokens, output_tokens, cost_usd, error, input, output, attributes";

    const string SpanColumns =
        "trace_id text not null, span_id text primary key, parent_id text, node text not null, kind text not null, started_at bigint not null, duration_ms double precision, received_at bigint, session text, end_user text, model text, input_tokens bigint, output_tokens bigint, cost_usd double precision, error text, input text, output text, attributes text";

    /// <returns>Rows a second, each batch durable (WAL, synchronous=FULL) before the next.</returns>
    public static double SqliteRows(List<object[]> rows, OtlpSource source, int batch, TimeSpan duration)
    {
        var folder = Directory.CreateTempSubdirectory("flywheel-bench-");
        try
        {
            using var connection = new SqliteConnection($"Data Source={Path.Combine(folder.FullName, "bare.db")};Pooling=False");
            connection.Open();
            Execute(connection, "pragma journal_mode=wal; pragma synchronous=full; pragma cache_size=-200000");
            Execute(connection, $"create table span({SpanColumns}); create index span_trace on span(trace_id); create index span_node on span(node, started_at)");
            using var insert = connection.CreateCommand();
            var count = rows[0].Length;
            insert.CommandText = $"insert into span({SpanNames}) values ({string.Join(',', Enumerable.Range(0, count).Select(i => "$p" + i))})";
            for (var i = 0; i < count; i++)
                insert.Parameters.Add(new SqliteParameter("$p" + i, null));
            insert.Prepare();
            var at = 0;
            void Write()
            {
                using var transaction = connection.BeginTransaction();
                insert.Transaction = transaction;
                for (var i = 0; i < batch; i++)
                {
                    var row = rows[at++ % rows.Count];
                    for (var column = 0; column < count; column++)
                        insert.Parameters[column].Value = column == 1 ? source.NextId() : row[column];
                    insert.ExecuteNonQuery();
                }
                transaction.Commit();
            }
            for (var warm = 0; warm < Math.Max(3, 3_000 / batch); warm++)
                Write();
            var started = Stopwatch.GetTimestamp();
            long written = 0;
            for (; Stopwatch.GetElapsedTime(started) < duration; written += batch)
                Write();
            return written / Stopwatch.GetElapsedTime(started).TotalSeconds;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <returns>Rows a second by binary COPY, one commit a batch.</returns>
    public static async Task<double> PostgresCopyRowsAsync(string url, List<object[]> rows, OtlpSource source, int batch, int clients, TimeSpan duration)
    {
        await using var data = NpgsqlDataSource.Create(url);
        await using (var reset = data.CreateCommand(
            $"drop table if exists bare_span; create table bare_span({SpanColumns}); create index on bare_span(trace_id); create index on bare_span(node, started_at)"))
            await reset.ExecuteNonQueryAsync();
        var started = Stopwatch.GetTimestamp();
        var written = await Task.WhenAll(Enumerable.Range(0, clients).Select(client => Task.Run(async () =>
        {
            await using var connection = await data.OpenConnectionAsync();
            long stored = 0;
            var at = client;
            while (Stopwatch.GetElapsedTime(started) < duration)
            {
                await using var copy = await connection.BeginBinaryImportAsync($"copy bare_span({SpanNames}) from stdin (format binary)");
                for (var i = 0; i < batch; i++)
                {
                    await copy.StartRowAsync();
                    var row = rows[at++ % rows.Count];
                    for (var column = 0; column < row.Length; column++)
                        if (row[column] is DBNull)
                            await copy.WriteNullAsync();
                        else if (column == 1)
                            await copy.WriteAsync(source.NextId(), NpgsqlDbType.Text);
                        else
                            await copy.WriteAsync(row[column], row[column] switch { long => NpgsqlDbType.Bigint, double => NpgsqlDbType.Double, _ => NpgsqlDbType.Text });
                }
                await copy.CompleteAsync();
                stored += batch;
            }
            return stored;
        })));
        var rate = written.Sum() / Stopwatch.GetElapsedTime(started).TotalSeconds;
        await using var drop = data.CreateCommand("drop table bare_span");
        await drop.ExecuteNonQueryAsync();
        return rate;
    }

    static object[] Values((string Id, BenchSpan Span) it) =>
    [
        it.Id, it.Span.Trace, it.Span.Node, it.Span.Kind, it.Span.StartedAt.ToUnixTimeMilliseconds() * 1000, it.Span.DurationMs, it.Span.Session,
        it.Span.Model, it.Span.Input, it.Span.Output, it.Span.Attributes,
    ];

    static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
