using System.Text.RegularExpressions;
using Flywheel.Core;
using Flywheel.Storage.Schema;

namespace Flywheel.Storage.Tests;

/// <summary>The schema is said once: both databases have the same, and docs/schema.md names all of it.</summary>
public sealed partial class SchemaTests(PostgresCluster cluster, SqliteFiles files)
{
    /// <summary>What only one database has, and why.</summary>
    static readonly Dictionary<string, string> OnlyInOne = new()
    {
        ["table fan_out_cursor"] = "SQLite has one writer, so that waiting spans need no row of their own",
        ["column fan_out_cursor.only integer not null"] = "as its table",
        ["column fan_out_cursor.span_id integer not null"] = "as its table",
        ["key fan_out_cursor: primary (only)"] = "as its table",
        ["column fan_out.span_id integer not null"] = "SQLite: one row per span that is to be paired again",
        ["key fan_out: primary (span_id)"] = "as its column",
        ["column fan_out.id integer not null"] = "PostgreSQL: one row per statement that inserted spans",
        ["column fan_out.project_id integer not null"] = "as above",
        ["column fan_out.span_ids other not null"] = "as above",
        ["key fan_out: primary (id)"] = "as above",
        ["key span: primary (id)"] = "SQLite: the row number is the key of the file's order",
        ["key span: primary (project_id,id)"] = "PostgreSQL: the project stands in each key, as partitions and shards need it",
        ["index span_by_arrival (project_id)"] = "SQLite adds the row number to each index; PostgreSQL has the primary key",
        ["index span_by_node (project_id,node)"] = "SQLite adds the row number to each index",
        ["index span_by_node (project_id,node,id)"] = "as above, in PostgreSQL",
        ["index job_to_claim (lane,visible_at)"] = "SQLite adds the row number to each index",
        ["index job_to_claim (lane,visible_at,id)"] = "as above, in PostgreSQL",
        ["reference fan_out (project_id) to project"] =
            "PostgreSQL checks the project of spans here: once per statement instead of once per row",
        ["reference span (project_id) to project"] = "SQLite checks each row; see above",
        ["reference job (span_id) to span"] =
            "SQLite; in PostgreSQL the fan-out holds the span's row, and triggers check what others insert",
        ["reference job (metric_version_id) to metric_version"] = "as above",
        ["reference verdict (span_id) to span"] = "as above",
        ["reference verdict (metric_version_id) to metric_version"] = "as above",
        ["reference label (span_id) to span"] = "as above",
        ["reference label (metric_id) to metric"] = "as above",
        ["reference correction (span_id) to span"] = "as above",
        ["reference proposed_label (span_id) to span"] = "as above",
        ["reference review_pick (span_id) to span"] = "as above",
        ["reference span_variant (span_id) to span"] = "as above",
        ["reference span_segment (span_id) to span"] = "as above",
        ["reference span_tag (span_id) to span"] = "as above",
        ["reference trace_completion (span_id) to span"] = "as above",
        ["reference note (span_id) to span"] = "as above",
    };

    static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Both_databases_have_the_same_tables_columns_keys_and_views()
    {
        var sqlite = await DumpAsync(files, SqliteQuery);
        var postgres = await DumpAsync(cluster, PostgresQuery);

        Assert.Contains("column span.duration_ms real not null", sqlite);
        Assert.Equal(
            OnlyInOne.Keys.Order(StringComparer.Ordinal),
            sqlite.Except(postgres).Union(postgres.Except(sqlite)).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task The_documentation_names_every_table_and_view_and_none_that_is_not_there()
    {
        var there = (await DumpAsync(files, SqliteQuery)).Select(line => line.Split(' ')).Where(line => line[0] is "table" or "view")
            .Select(line => line[1]).ToHashSet();
        var page = await File.ReadAllTextAsync(Path.Combine(Repository(), "docs", "schema.md"), Ct);
        var tables = Section(page, "## Tables").Split('\n').Where(line => line.StartsWith("| `", StringComparison.Ordinal))
            .SelectMany(line => Quoted().Matches(line.Split('|')[1]).Select(name => name.Groups[1].Value));
        var views = Section(page, "## Views").Split('\n').Where(line => line.StartsWith("- `", StringComparison.Ordinal))
            .Select(line => Quoted().Match(line).Groups[1].Value);

        Assert.Equal(there.Order(StringComparer.Ordinal), tables.Concat(views).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Every_table_is_explained_where_it_stands()
    {
        foreach (var kind in new[] { DatabaseKind.Sqlite, DatabaseKind.Postgres })
        {
            var lines = (SchemaFiles.MigrationTable(kind) + "\n" + SchemaFiles.Migrations(kind)[0].Sql).Split('\n');
            for (var i = 0; i < lines.Length; i++)
                if (lines[i].StartsWith("CREATE TABLE", StringComparison.Ordinal)
                    || lines[i].StartsWith("CREATE VIEW", StringComparison.Ordinal))
                    Assert.True(lines[i - 1].StartsWith("--", StringComparison.Ordinal), $"{kind}: {lines[i]} has no comment above it.");
        }
    }

    [Fact]
    public void Every_file_of_the_schema_is_applied()
    {
        var expected = new[] { "Shared/schema", "Postgres/functions" }
            .Concat(SchemaFiles.Topics.SelectMany(topic => new[] { $"Shared/{topic}", $"Sqlite/{topic}", $"Postgres/{topic}" }))
            .ToHashSet();

        Assert.DoesNotContain(
            SchemaFiles.Resources(), file =>
                !expected.Contains(file.Path) && !file.Path.StartsWith("Migrations/", StringComparison.Ordinal));
    }

    [Fact]
    public void An_unknown_word_in_braces_is_refused()
    {
        Assert.Equal("a BIGINT DEFAULT '{}'", SchemaDialect.Translate("a {integer} DEFAULT '{}'", DatabaseKind.Postgres));
        Assert.Equal("b", SchemaDialect.Translate("{sqlite: b}{postgres: c}", DatabaseKind.Sqlite));
        Assert.Throws<InvalidOperationException>(() => SchemaDialect.Translate("a {number}", DatabaseKind.Sqlite));
    }

    const string SqliteQuery =
        """
        SELECT type || ' ' || name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%'
        UNION ALL
        SELECT 'column ' || object.name || '.' || part.name
            || CASE object.type WHEN 'view' THEN ''
                ELSE CASE part.type WHEN 'INTEGER' THEN ' integer' WHEN 'REAL' THEN ' real' WHEN 'BLOB' THEN ' bytes' WHEN 'TEXT' THEN ' text'
                    ELSE ' other' END || CASE WHEN part."notnull" = 1 OR part.pk > 0 THEN ' not null' ELSE '' END END
        FROM sqlite_schema AS object, pragma_table_info(object.name) AS part
        WHERE object.type IN ('table', 'view') AND object.name NOT LIKE 'sqlite_%'
        UNION ALL
        SELECT 'key ' || name || ': primary (' || (
            SELECT group_concat(name) FROM (SELECT name FROM pragma_table_info(object.name) WHERE pk > 0 ORDER BY pk)) || ')'
        FROM sqlite_schema AS object WHERE type = 'table' AND name NOT LIKE 'sqlite_%'
        UNION ALL
        SELECT CASE given.origin WHEN 'u' THEN 'key ' || object.name || ': unique'
                ELSE CASE given."unique" WHEN 1 THEN 'unique ' ELSE '' END || 'index ' || given.name END || ' ('
            || (SELECT group_concat(name) FROM (SELECT name FROM pragma_index_info(given.name) ORDER BY seqno)) || ')'
        FROM sqlite_schema AS object, pragma_index_list(object.name) AS given
        WHERE object.type = 'table' AND given.origin <> 'pk' AND object.name NOT LIKE 'sqlite_%'
        UNION ALL
        SELECT 'reference ' || name || ' (' || columns || ') to ' || target
        FROM (
            SELECT object.name, given.id, given."table" AS target, group_concat(given."from") AS columns
            FROM sqlite_schema AS object, pragma_foreign_key_list(object.name) AS given
            WHERE object.type = 'table'
            GROUP BY object.name, given.id, given."table")
        """;

    const string PostgresQuery =
        """
        SELECT CASE relkind WHEN 'v' THEN 'view ' ELSE 'table ' END || relname
        FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v')
        UNION ALL
        SELECT 'column ' || relname || '.' || attname
            || CASE relkind WHEN 'v' THEN ''
                ELSE CASE WHEN atttypid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype) THEN ' integer'
                    WHEN atttypid = 'float8'::regtype THEN ' real' WHEN atttypid = 'bytea'::regtype THEN ' bytes'
                    WHEN atttypid = 'text'::regtype THEN ' text' ELSE ' other' END || CASE WHEN attnotnull THEN ' not null' ELSE '' END END
        FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v')
        UNION ALL
        SELECT CASE WHEN indisprimary THEN 'key ' || held.relname || ': primary'
                WHEN EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = indexrelid AND contype = 'u') THEN 'key ' || held.relname || ': unique'
                ELSE CASE WHEN indisunique THEN 'unique ' ELSE '' END || 'index ' || given.relname END || ' ('
            || (SELECT string_agg(attname, ',' ORDER BY place)
                FROM unnest(indkey::smallint[]) WITH ORDINALITY AS part (number, place)
                JOIN pg_attribute ON attrelid = indrelid AND attnum = number) || ')'
        FROM pg_index JOIN pg_class AS given ON given.oid = indexrelid JOIN pg_class AS held ON held.oid = indrelid
        WHERE held.relnamespace = 'public'::regnamespace
        UNION ALL
        SELECT 'reference ' || conrelid::regclass::text || ' (' || (
            SELECT string_agg(attname, ',' ORDER BY place)
            FROM unnest(conkey) WITH ORDINALITY AS part (number, place)
            JOIN pg_attribute ON attrelid = conrelid AND attnum = number) || ') to ' || confrelid::regclass::text
        FROM pg_constraint
        WHERE contype = 'f' AND connamespace = 'public'::regnamespace
        """;

    static async Task<IReadOnlyList<string>> DumpAsync(ITestDatabases databases, string query)
    {
        var url = await databases.NewAsync();
        await using (var store = await FlywheelStore.OpenAsync(url, null, Ct))
            await store.MigrateAsync(Ct);
        await using var connection = databases.Connect(url);
        await connection.OpenAsync(Ct);
        await using var command = connection.CreateCommand();
        command.CommandText = query;
        await using var reader = await command.ExecuteReaderAsync(Ct);
        var lines = new List<string>();
        while (await reader.ReadAsync(Ct))
            lines.Add(reader.GetString(0));
        return lines;
    }

    static string Section(string page, string heading)
    {
        var start = page.IndexOf(heading + "\n", StringComparison.Ordinal);
        Assert.True(start >= 0, $"docs/schema.md has no section {heading}");
        var end = page.IndexOf("\n## ", start + heading.Length, StringComparison.Ordinal);
        return page[start..(end < 0 ? page.Length : end)];
    }

    static string Repository()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Flywheel.slnx")))
            folder = folder.Parent!;
        return folder.FullName;
    }

    [GeneratedRegex("`([a-z_]+)`")]
    private static partial Regex Quoted();
}
