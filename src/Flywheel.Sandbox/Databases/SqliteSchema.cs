using Flywheel.Core.Sandboxing;
using SQLitePCL;

namespace Flywheel.SandboxChild.Databases;

/// <summary>Tables, views, their columns and foreign keys, read before any foreign statement.</summary>
static class SqliteSchema
{
    public static IReadOnlyList<SqlTable> Read(sqlite3 connection)
    {
        var names = Run(connection,
            "SELECT name, type FROM pragma_table_list WHERE schema = 'main' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name");
        var tables = new List<SqlTable>();
        foreach (var row in names)
        {
            var columns = Run(connection, $"SELECT name FROM pragma_table_xinfo({Quoted(row[0])}) WHERE hidden <> 1 ORDER BY cid")
                .ConvertAll(column => column[0]);
            var links = Run(connection,
                $"""
                SELECT "from", "table", coalesce("to", (SELECT name FROM pragma_table_info("table") WHERE pk = 1)) FROM pragma_foreign_key_list({Quoted(row[0])})
                WHERE id IN (SELECT id FROM pragma_foreign_key_list({Quoted(row[0])}) GROUP BY id HAVING count(*) = 1)
                """);
            tables.Add(new("main", row[0], columns,
                [.. links.Where(link => link[2].Length > 0).Select(link => new SqlLink(link[0], link[1], link[2]))], row[1] == "view"));
        }
        return tables;
    }

    /// <summary>Our own statements only.</summary>
    /// <exception cref="InvalidDataException">SQLite's own message.</exception>
    public static List<string[]> Run(sqlite3 connection, string sql)
    {
        if (raw.sqlite3_prepare_v2(connection, sql, out var statement) != raw.SQLITE_OK)
            throw new InvalidDataException(raw.sqlite3_errmsg(connection).utf8_to_string());
        var rows = new List<string[]>();
        using (statement)
        {
            int code;
            while ((code = raw.sqlite3_step(statement)) == raw.SQLITE_ROW)
                rows.Add([.. Enumerable.Range(0, raw.sqlite3_column_count(statement))
                    .Select(i => raw.sqlite3_column_text(statement, i).utf8_to_string() ?? "")]);
            if (code != raw.SQLITE_DONE)
                throw new InvalidDataException(raw.sqlite3_errmsg(connection).utf8_to_string());
        }
        return rows;
    }

    static string Quoted(string text) => "'" + text.Replace("'", "''", StringComparison.Ordinal) + "'";
}
