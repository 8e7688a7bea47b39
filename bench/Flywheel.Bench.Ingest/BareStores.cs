using Microsoft.Data.Sqlite;
using Npgsql;
using NpgsqlTypes;

namespace Flywheel.Bench.Ingest;

/// <summary>Rows for a plain table with a primary key, two more indexes and nothing else: no HTTP, no triggers, no checks.</summary>
/// <param name="Columns">With their types; one is the primary key.</param>
/// <param name="Indexes">What the two indexes are over.</param>
/// <param name="Next">The next row, under a new id. The array is the caller's until the next call.</param>
sealed record BareRows(string Names, string Columns, (string One, string Two) Indexes, Func<object[]> Next)
{
    public int Count { get; } = Names.Count(c => c == ',') + 1;

    public static BareRows Of(SpanSource source) => new(
        "span_id, trace_id, node, kind, started_at, duration_ms, session, model, input, output, attributes",
        "span_id text primary key, trace_id text not null, node text not null, kind text not null, started_at bigint not null, "
            + "duration_ms double precision, session text, model text, input text, output text, attributes text",
        ("trace_id", "node, started_at"),
        () =>
        {
            var (id, span) = source.Next();
            return
            [
                id, span.Trace, span.Node, span.Kind, span.StartedAt.ToUnixTimeMilliseconds() * 1000, span.DurationMs, span.Session,
                span.Model, span.Input,
                span.Output, span.Attributes,
            ];
        });

    /// <summary>
    /// The product's columns, in the order in which <see cref="OtlpSource.Rows"/> reads them; the second is the span's id.
    /// </summary>
    public const string SpanNames =
        "trace_id, span_id, parent_id, node, kind, started_at, duration_ms, received_at, session, end_user, model, input_tokens, "
            + "output_tokens, cost_usd, error, input, output, attributes";

    public static BareRows Of(List<object[]> rows, OtlpSource source)
    {
        var at = 0;
        return new(
            SpanNames,
            "trace_id text not null, span_id text primary key, parent_id text, node text not null, kind text not null, started_at bigint "
                + "not null, duration_ms double precision, received_at bigint, session text, end_user text, model text, input_tokens "
                + "bigint, output_tokens bigint, cost_usd double precision, error text, input text, output text, attributes text",
            ("trace_id", "node, started_at"),
            () =>
            {
                var row = (object[])rows[Interlocked.Increment(ref at) % rows.Count].Clone();
                row[1] = source.NextId();
                return row;
            });
    }
}

/// <summary>The baselines: the same rows, durable batch by batch.</summary>
static class BareStores
{
    /// <summary>WAL, synchronous=FULL, one prepared statement, one commit a batch.</summary>
    public static Sample Sqlite(Measure measure, BareRows rows, int batch)
    {
        var folder = Directory.CreateTempSubdirectory("flywheel-bench-");
        try
        {
            using var connection = new SqliteConnection($"Data Source={Path.Combine(folder.FullName, "bare.db")};Pooling=False");
            connection.Open();
            Execute(connection, "pragma journal_mode=wal; pragma synchronous=full; pragma cache_size=-200000");
            Execute(connection, $"create table span({rows.Columns}); create index span_one on span({rows.Indexes.One}); create index "
                + $"span_two on span({rows.Indexes.Two})");
            using var insert = connection.CreateCommand();
            insert.CommandText = $"insert into span({rows.Names}) values "
                + $"({string.Join(',', Enumerable.Range(0, rows.Count).Select(i => "$p" + i))})";
            for (var i = 0; i < rows.Count; i++)
                insert.Parameters.Add(new SqliteParameter("$p" + i, null));
            insert.Prepare();
            return measure.Bare(() =>
            {
                using var transaction = connection.BeginTransaction();
                insert.Transaction = transaction;
                for (var i = 0; i < batch; i++)
                {
                    var values = rows.Next();
                    for (var column = 0; column < values.Length; column++)
                        insert.Parameters[column].Value = values[column];
                    insert.ExecuteNonQuery();
                }
                transaction.Commit();
                return batch;
            });
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>Binary COPY, one commit a batch, from <paramref name="clients"/> connections.</summary>
    public static Task<Sample> PostgresCopyAsync(Measure measure, string url, BareRows rows, int batch, int clients) => PostgresAsync(
        measure, url, rows, clients, connection => async () =>
        {
            await using var copy = await connection.BeginBinaryImportAsync($"copy bare_span({rows.Names}) from stdin (format binary)");
            for (var i = 0; i < batch; i++)
            {
                copy.StartRow();
                foreach (var value in rows.Next())
                    if (value is DBNull)
                        copy.WriteNull();
                    else if (value is string text)
                        copy.Write(text, NpgsqlDbType.Text);
                    else if (value is long number)
                        copy.Write(number, NpgsqlDbType.Bigint);
                    else
                        copy.Write((double)value, NpgsqlDbType.Double);
            }
            await copy.CompleteAsync();
            return batch;
        });

    /// <summary>Single committed INSERTs, prepared, from several connections.</summary>
    public static Task<Sample> PostgresSingleAsync(Measure measure, string url, BareRows rows, int clients) => PostgresAsync(
        measure, url, rows, clients, connection =>
        {
            var insert = new NpgsqlCommand(
                $"insert into bare_span({rows.Names}) values ({string.Join(',', Enumerable.Range(1, rows.Count).Select(i => "$" + i))})",
                connection);
            foreach (var value in rows.Next())
                insert.Parameters.Add(
                    new NpgsqlParameter { NpgsqlDbType = value is long ? NpgsqlDbType.Bigint : value is double
                        ? NpgsqlDbType.Double : NpgsqlDbType.Text });
            insert.Prepare();
            return async () =>
            {
                var values = rows.Next();
                for (var column = 0; column < values.Length; column++)
                    insert.Parameters[column].Value = values[column];
                await insert.ExecuteNonQueryAsync();
                return 1;
            };
        });

    static async Task<Sample> PostgresAsync(
        Measure measure, string url, BareRows rows, int clients, Func<NpgsqlConnection, Func<Task<int>>> open)
    {
        await using var data = NpgsqlDataSource.Create(url);
        await using (var reset = data.CreateCommand(
            $"drop table if exists bare_span; create table bare_span({rows.Columns}); create index on bare_span({rows.Indexes.One}); "
                + $"create index on bare_span({rows.Indexes.Two})"))
            await reset.ExecuteNonQueryAsync();
        await using (var settle = data.CreateCommand("checkpoint"))
            await settle.ExecuteNonQueryAsync();
        var sample = await measure.BareAsync(clients, () => open(data.OpenConnection()));
        await using var drop = data.CreateCommand("drop table bare_span");
        await drop.ExecuteNonQueryAsync();
        return sample;
    }

    static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
