namespace Flywheel.Validators.Sandboxing;

/// <summary>
/// SQL, for a superuser to read and run in the database concerned, that makes the role under which foreign statements run.
/// </summary>
public static class ReadOnlyRole
{
    /// <param name="tables">Which tables it may read; empty for all of the schema.</param>
    /// <exception cref="SandboxException">A name that cannot be one.</exception>
    public static string Sql(string role, string schema, IReadOnlyList<string> tables)
    {
        foreach (var name in tables.Append(role).Append(schema))
            if (name.Length is 0 or > 63 || name.Contains('\0') || name.Contains('"'))
                throw new SandboxException(
                    $"`{name}` is no name of a role, schema or table here: give 1 to 63 characters without quotation marks.");
        var allowed = tables.Count == 0
            ? $"ALL TABLES IN SCHEMA \"{schema}\"" : string.Join(", ", tables.Select(table => $"\"{schema}\".\"{table}\""));
        return $"""
            -- Run as a superuser, connected to the database that statements are checked against. The REVOKEs hold for every role without
            -- rights of its own, so grant them back to roles that need large objects, advisory locks or NOTIFY by function.
            CREATE ROLE "{role}" LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS NOINHERIT CONNECTION LIMIT 20;
            -- ALTER ROLE "{role}" PASSWORD '...';
            ALTER ROLE "{role}" SET default_transaction_read_only = on;
            ALTER ROLE "{role}" SET statement_timeout = '5s';
            ALTER ROLE "{role}" SET temp_file_limit = '32MB';
            REVOKE CREATE ON SCHEMA public FROM PUBLIC;
            GRANT USAGE ON SCHEMA "{schema}" TO "{role}";
            GRANT SELECT ON {allowed} TO "{role}";
            DO $do$
            DECLARE f regprocedure;
            BEGIN
                EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
                FOR f IN SELECT oid::regprocedure FROM pg_proc
                    WHERE pronamespace = 'pg_catalog'::regnamespace
                      AND (proname LIKE 'lo\_%' OR proname LIKE 'pg\_sleep%' OR proname LIKE 'pg\_%advisory%'
                           OR proname IN ('set_config', 'pg_notify', 'lowrite', 'loread'))
                LOOP
                    EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', f);
                END LOOP;
            END
            $do$;
            """;
    }
}
