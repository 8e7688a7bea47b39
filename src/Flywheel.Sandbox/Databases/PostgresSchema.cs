using Flywheel.Core.Sandboxing;
using Npgsql;

namespace Flywheel.SandboxChild.Databases;

/// <summary>What a role may read, and which functions no statement may call.</summary>
static class PostgresSchema
{
    public static async Task<IReadOnlyList<SqlTable>> TablesAsync(NpgsqlConnection connection)
    {
        var columns = await RowsAsync(connection,
            """
            SELECT n.nspname::text, c.relname::text, a.attname::text, CASE WHEN c.relkind IN ('v', 'm') THEN 'view' ELSE 'table' END
            FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
            WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
              AND pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_column_privilege(c.oid, a.attnum, 'SELECT')
            ORDER BY 1, 2, a.attnum
            """);
        var links = await RowsAsync(connection,
            """
            SELECT n.nspname::text, c.relname::text, a.attname::text, t.relname::text, b.attname::text
            FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            JOIN pg_catalog.pg_class t ON t.oid = k.confrelid
            JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
            JOIN pg_catalog.pg_attribute b ON b.attrelid = k.confrelid AND b.attnum = k.confkey[1]
            WHERE k.contype = 'f' AND cardinality(k.conkey) = 1
            """);
        return [.. columns.GroupBy(row => (Schema: row[0], Table: row[1], Kind: row[3])).Select(table => new SqlTable(
            table.Key.Schema, table.Key.Table, [.. table.Select(row => row[2])],
            [.. links.Where(link => link[0] == table.Key.Schema && link[1] == table.Key.Table)
                .Select(link => new SqlLink(link[2], link[3], link[4]))],
            table.Key.Kind == "view"))];
    }

    /// <summary>
    /// Whatever may have an effect or run as somebody else (volatile, security definer), reads the server's own affairs or files, or runs
    /// SQL from a text; chance and the clock are let through.
    /// </summary>
    public static Task<IReadOnlyList<string>> RefusedFunctionsAsync(NpgsqlConnection connection) => ListAsync(connection,
        """
        SELECT DISTINCT p.proname::text FROM pg_catalog.pg_proc p
        WHERE (p.provolatile = 'v' OR p.prosecdef OR p.prorettype = 'trigger'::regtype
            OR p.proname ~ '^(pg_|lo_|dblink|txid_|inet_|query_to_|table_to_|schema_to_|database_to_|cursor_to_|binary_upgrade_|has_|postgres_fdw|file_fdw)'
            OR p.proname ~ '(_description|_in|_out|_recv|_send|_handler|_support)$'
            OR p.proname IN ('set_config', 'current_setting', 'ts_stat', 'ts_rewrite', 'loread', 'lowrite', 'getdatabaseencoding', 'row_security_active', 'version',
                'format_type', 'to_regclass', 'to_regrole', 'to_regproc', 'acldefault', 'aclexplode', 'makeaclitem', 'currtid2', 'crosstab', 'connectby'))
          AND p.proname NOT IN ('random', 'random_normal', 'gen_random_uuid', 'clock_timestamp', 'timeofday', 'statement_timestamp', 'pg_typeof', 'regexp_match_in')
        """);

    public static async Task<IReadOnlyList<string>> ListAsync(NpgsqlConnection connection, string sql) =>
        (await RowsAsync(connection, sql)).ConvertAll(row => row[0]);

    static async Task<List<string[]>> RowsAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection) { AllResultTypesAreUnknown = true };
        await using var reader = await command.ExecuteReaderAsync();
        var rows = new List<string[]>();
        while (await reader.ReadAsync())
            rows.Add([.. Enumerable.Range(0, reader.FieldCount).Select(reader.GetString)]);
        return rows;
    }
}
