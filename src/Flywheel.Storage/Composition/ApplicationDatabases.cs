using System.Data.Common;
using Flywheel.Core.Guarding;
using Flywheel.Storage.Postgres;
using Microsoft.Data.Sqlite;
using Npgsql;
using SQLitePCL;

namespace Flywheel.Storage;

/// <summary>SQLite files opened read-only, and PostgreSQL in read-only transactions; each query gets half a second.</summary>
public sealed class ApplicationDatabases : IApplicationDatabases, IAsyncDisposable
{
    static readonly TimeSpan Limit = TimeSpan.FromMilliseconds(500);

    readonly Dictionary<string, string> files = new(StringComparer.Ordinal);
    readonly Dictionary<string, NpgsqlDataSource> servers = new(StringComparer.Ordinal);

    /// <param name="urls">By name: <c>sqlite:FILE</c> or <c>postgres://…</c>.</param>
    /// <exception cref="StoreException">A url has neither form.</exception>
    public ApplicationDatabases(IEnumerable<KeyValuePair<string, string>> urls)
    {
        foreach (var (name, url) in urls)
            if (url.StartsWith("sqlite:", StringComparison.Ordinal) && url.Length > "sqlite:".Length)
                files[name] = new SqliteConnectionStringBuilder { DataSource = url["sqlite:".Length..], Mode = SqliteOpenMode.ReadOnly }
                    .ToString();
            else if (url.StartsWith("postgres://", StringComparison.Ordinal) || url.StartsWith("postgresql://", StringComparison.Ordinal))
                servers[name] = Server(url);
            else
                throw new StoreException(
                    $"`Databases:{name}` names no database: use sqlite:PATH or postgres://USER:PASSWORD@HOST/DATABASE.");
    }

    public IReadOnlyCollection<string> Names => [.. files.Keys, .. servers.Keys];

    public async Task<bool> AnyAsync(string database, string query, IReadOnlyDictionary<string, string> parameters, CancellationToken ct)
    {
        using var late = new CancellationTokenSource(Limit);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, ct);
        try
        {
            if (servers.TryGetValue(database, out var server))
            {
                var connection = await server.OpenConnectionAsync(either.Token).ConfigureAwait(false);
                await using (connection.ConfigureAwait(false))
                    return await FirstAsync(connection, query, parameters, either.Token).ConfigureAwait(false);
            }
            // This driver works on the calling thread whatever it is asked.
            return await Task.Run(() => InFileAsync(files[database], query, parameters, either.Token), either.Token).ConfigureAwait(false);
        }
        catch (Exception fault) when (late.IsCancellationRequested && !ct.IsCancellationRequested)
        {
            throw new TimeoutException($"The database {database} did not answer within {Limit.TotalSeconds:0.#} s.", fault);
        }
        catch (DbException fault)
        {
            throw new InvalidOperationException($"The database {database} refuses the query: {fault.Message}", fault);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var server in servers.Values)
            await server.DisposeAsync().ConfigureAwait(false);
    }

    static async Task<bool> InFileAsync(string source, string query, IReadOnlyDictionary<string, string> parameters, CancellationToken ct)
    {
        var connection = new SqliteConnection(source);
        await using (connection.ConfigureAwait(false))
        {
            await connection.OpenAsync(ct).ConfigureAwait(false);
            var handle = connection.Handle!;
            await using (ct.Register(() => raw.sqlite3_interrupt(handle)).ConfigureAwait(false))
                return await FirstAsync(connection, query, parameters, ct).ConfigureAwait(false);
        }
    }

    static async Task<bool> FirstAsync(
        DbConnection connection, string query, IReadOnlyDictionary<string, string> parameters, CancellationToken ct)
    {
        var command = connection.CreateCommand();
        await using (command.ConfigureAwait(false))
        {
            command.CommandText = query;
            foreach (var (name, value) in parameters)
                if (query.Contains("@" + name, StringComparison.Ordinal))
                {
                    var parameter = command.CreateParameter();
                    parameter.ParameterName = name;
                    parameter.Value = value;
                    command.Parameters.Add(parameter);
                }
            return await command.ExecuteScalarAsync(ct).ConfigureAwait(false) is not (null or DBNull or false or 0 or 0L);
        }
    }

    static NpgsqlDataSource Server(string url)
    {
        var settings = PostgresUrl.Parse(url);
        settings.Options = $"-c default_transaction_read_only=on -c statement_timeout={(int)Limit.TotalMilliseconds}";
        settings.MaxPoolSize = 10;
        return NpgsqlDataSource.Create(settings);
    }
}
