using Npgsql;

namespace Flywheel.SandboxChild.Databases;

/// <summary>What the role of a connection may do beyond reading.</summary>
/// <param name="Problem">It may do too much to be let in; null when not.</param>
/// <param name="Held">Rights that were taken from it on top.</param>
/// <param name="Missing">Rights that everybody has and that were not taken from it.</param>
sealed record PostgresRole(string? Problem, IReadOnlyList<string> Held, IReadOnlyList<string> Missing)
{
    const string Remedy = "`flywheel sandbox role` writes the SQL that makes a fitting role.";

    public static async Task<PostgresRole> ReadAsync(NpgsqlConnection connection)
    {
        if (await PostgresSchema.ListAsync(connection,
            """
            SELECT c.relname FROM pg_catalog.pg_class c WHERE c.relkind IN ('r', 'p') AND c.relname IN ('fan_out', 'metric_delta', 'demonstration_change')
            GROUP BY c.relname
            """) is { Count: 3 })
            return new(OwnSchema.Refusal, [], []);

        var powers = await PostgresSchema.ListAsync(connection,
            """
            SELECT CASE WHEN r.rolname = current_user THEN 'is ' ELSE 'belongs to ' || r.rolname || ', which is ' END
                || concat_ws(' and ', CASE WHEN r.rolsuper THEN 'superuser' END, CASE WHEN r.rolcreaterole THEN 'allowed to create roles' END,
                    CASE WHEN r.rolcreatedb THEN 'allowed to create databases' END, CASE WHEN r.rolreplication THEN 'allowed to replicate' END,
                    CASE WHEN r.rolbypassrls THEN 'allowed to bypass row security' END,
                    CASE WHEN r.rolname LIKE 'pg\_%' THEN 'a role of the system' END)
            FROM pg_catalog.pg_roles r
            WHERE pg_catalog.pg_has_role(current_user, r.oid, 'MEMBER')
              AND (r.rolsuper OR r.rolcreaterole OR r.rolcreatedb OR r.rolreplication OR r.rolbypassrls
                   OR (r.rolname LIKE 'pg\_%' AND r.rolname NOT IN ('pg_read_all_data', 'pg_database_owner')))
            UNION ALL
            SELECT 'may write to ' || n.nspname || '.' || c.relname
            FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
              AND pg_catalog.has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
            UNION ALL
            SELECT 'may create in schema ' || n.nspname FROM pg_catalog.pg_namespace n
            WHERE n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema' AND pg_catalog.has_schema_privilege(n.oid, 'CREATE')
            UNION ALL
            SELECT 'may create schemas' WHERE pg_catalog.has_database_privilege(current_database(), 'CREATE')
            """);
        if (powers.Count > 0)
            return new("is connected to as a role that can do more than read: it "
                + $"{powers[0]}{(powers.Count > 1 ? $" ({powers.Count - 1} more)" : "")}. {Remedy}", [], []);

        List<string> held = [], missing = [];
        var granted = await PostgresSchema.ListAsync(connection,
            """
            SELECT DISTINCT p.proname FROM pg_catalog.pg_proc p
            WHERE p.pronamespace = 'pg_catalog'::regnamespace AND pg_catalog.has_function_privilege(p.oid, 'EXECUTE')
              AND (p.proname LIKE 'lo\_%' OR p.proname LIKE 'pg\_sleep%' OR p.proname LIKE 'pg\_%advisory%' OR p.proname IN ('set_config', 'pg_notify', 'lowrite', 'loread'))
            ORDER BY 1
            """);
        (granted.Count == 0 ? held : missing).Add(granted.Count == 0
            ? "no right to call lo_*, set_config, pg_notify, pg_sleep"
            : $"rights to call {granted.Count} functions such as {granted[0]} were not revoked (they are refused by name only)");
        var limit = (await PostgresSchema.ListAsync(
            connection, "SELECT setting FROM pg_catalog.pg_settings WHERE name = 'temp_file_limit'"))[0];
        (limit == "-1" ? missing : held)
            .Add(limit == "-1" ? "temp_file_limit is not set for the role" : $"{limit} kB of temporary files at most");
        return new(null, held, missing);
    }
}
