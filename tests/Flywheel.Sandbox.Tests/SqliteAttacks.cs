namespace Flywheel.SandboxTests;

/// <summary>
/// Statements that a model could be talked into writing. <c>{dir}</c> is the folder of the database and of <c>secret.sqlite</c>.
/// </summary>
internal static class SqliteAttacks
{
    public static IEnumerable<string> All(string folder) =>
        Writes.Concat(Looks).Concat(Hangs).Select(sql => sql.Replace("{dir}", folder, StringComparison.Ordinal));

    /// <summary>Each would change a file, or make one.</summary>
    public static IEnumerable<string> Writes =>
    [
        "DELETE FROM orders", "DELETE FROM orders WHERE 1 = 1 RETURNING *", "UPDATE orders SET total = 0",
        "UPDATE orders SET total = 0 RETURNING id",
        "INSERT INTO orders VALUES (9, 1, 1)", "INSERT INTO orders VALUES (9, 1, 1) RETURNING *",
        "INSERT INTO orders SELECT id + 100, customer_id, total FROM orders",
        "REPLACE INTO orders VALUES (1, 1, 1)", "INSERT OR REPLACE INTO orders VALUES (1, 2, 3)", "DROP TABLE orders",
        "DROP TABLE IF EXISTS orders", "DROP INDEX orders_of",
        "DROP VIEW totals", "ALTER TABLE orders RENAME TO o", "ALTER TABLE orders ADD COLUMN x",
        "ALTER TABLE orders RENAME COLUMN total TO t", "ALTER TABLE orders DROP COLUMN total",
        "CREATE TABLE x (a)", "CREATE TABLE x AS SELECT * FROM orders", "CREATE INDEX x ON orders (total)",
        "CREATE VIEW x AS SELECT 1 AS a",
        "CREATE TRIGGER x AFTER INSERT ON orders BEGIN DELETE FROM orders; END", "CREATE VIRTUAL TABLE x USING fts5(a)",
        "CREATE VIRTUAL TABLE x USING rtree(a, b, c)",
        "CREATE TEMP TABLE x AS SELECT * FROM orders", "CREATE TEMP VIEW x AS SELECT 1 AS a", "REINDEX", "ANALYZE", "VACUUM",
        "VACUUM INTO '{dir}/copy.sqlite'",
        "vacuum main into '{dir}/copy2.sqlite'", "ATTACH '{dir}/new.sqlite' AS n", "ATTACH DATABASE '{dir}/new2.sqlite' AS n",
        "DETACH main", "BEGIN", "BEGIN IMMEDIATE", "BEGIN EXCLUSIVE",
        "COMMIT", "ROLLBACK", "SAVEPOINT s", "RELEASE s", "END",
        "PRAGMA user_version = 7", "PRAGMA application_id = 7", "PRAGMA journal_mode = WAL", "PRAGMA journal_mode = DELETE",
        "PRAGMA journal_mode = OFF", "PRAGMA query_only = OFF",
        "PRAGMA writable_schema = ON", "PRAGMA schema_version = 99", "PRAGMA auto_vacuum = 1", "PRAGMA incremental_vacuum",
        "PRAGMA page_size = 8192", "PRAGMA encoding = 'UTF-16'",
        "PRAGMA locking_mode = EXCLUSIVE", "PRAGMA wal_checkpoint(TRUNCATE)", "PRAGMA optimize", "PRAGMA temp_store_directory = '{dir}'",
        "PRAGMA data_store_directory = '{dir}'",
        "PRAGMA secure_delete = ON", "PRAGMA foreign_keys = OFF", "PRAGMA trusted_schema = ON", "PRAGMA cache_spill = 1",
        "PRAGMA synchronous = OFF", "PRAGMA mmap_size = 100000000",
        "PRAGMA hard_heap_limit = 0", "PRAGMA soft_heap_limit = 0", "PRAGMA threads = 8", "PRAGMA busy_timeout = 100000",
        "PRAGMA recursive_triggers = ON", "PRAGMA legacy_alter_table = ON",
        "SELECT 1; DELETE FROM orders", "SELECT 1; DROP TABLE orders; --", "SELECT 1;;; PRAGMA user_version = 9",
        "SELECT 1; VACUUM INTO '{dir}/copy3.sqlite'", "SELECT 1;\n\nATTACH '{dir}/new3.sqlite' AS a",
        "/* SELECT */ DELETE FROM orders", "-- SELECT\nDELETE FROM orders", "SELECT 1 /* ; */ ; /* */ UPDATE orders SET total = 1",
        "SELECT ';' ; INSERT INTO orders VALUES (8, 8, 8)",
        "WITH x AS (SELECT 1) DELETE FROM orders", "WITH x AS (SELECT 1) INSERT INTO orders SELECT 7, 7, 7",
        "WITH x AS (SELECT 1 AS a) UPDATE orders SET total = (SELECT a FROM x)",
        "EXPLAIN DELETE FROM orders", "EXPLAIN QUERY PLAN DELETE FROM orders", "EXPLAIN SELECT * FROM orders",
        "\uFEFFDELETE FROM orders", "SELECT writefile('{dir}/w.txt', 'x')", "SELECT edit('x', 'touch {dir}/e.txt')",
        "SELECT load_extension('{dir}/evil')", "SELECT load_extension('/lib/x86_64-linux-gnu/libc.so.6')",
        "SELECT fts3_tokenizer('simple')", "SELECT fts3_tokenizer('x', x'4141414141414141')",
        "SELECT sqlite_rename_table(0, 0, 0, 0, 0, 0, 0)", "SELECT sqlite_drop_column(0, 0, 0)",
        "SELECT * FROM pragma_wal_checkpoint", "SELECT * FROM pragma_journal_mode('wal')", "SELECT * FROM pragma_user_version(5)",
        "SELECT * FROM pragma_optimize",
        "SELECT * FROM pragma_incremental_vacuum(1)", "SELECT optimize FROM orders('optimize')", "TRUNCATE TABLE orders",
        "MERGE INTO orders USING orders ON 1 WHEN MATCHED THEN DELETE", "GRANT ALL ON orders TO x", ".shell touch {dir}/shell",
        ".import {dir}/secret.sqlite orders", "COPY orders TO '{dir}/c.csv'",
    ];

    /// <summary>Each would see what is not in the database's own tables.</summary>
    public static IEnumerable<string> Looks =>
    [
        "ATTACH '{dir}/secret.sqlite' AS s; SELECT * FROM s.vault", "SELECT * FROM vault", "SELECT * FROM secret.vault",
        "SELECT readfile('{dir}/secret.sqlite')", "SELECT readfile('/etc/passwd')",
        "SELECT * FROM fsdir('{dir}')", "SELECT * FROM sqlite_master", "SELECT sql FROM sqlite_schema", "SELECT * FROM main.sqlite_master",
        "SELECT * FROM sqlite_temp_master", "SELECT * FROM temp.sqlite_schema",
        "SELECT * FROM (SELECT * FROM sqlite_master)", "WITH a AS (SELECT sql FROM sqlite_master) SELECT * FROM a",
        "SELECT (SELECT group_concat(sql) FROM sqlite_schema)", "SELECT id FROM orders UNION SELECT name FROM sqlite_master",
        "SELECT * FROM orders WHERE EXISTS (SELECT 1 FROM sqlite_master)", "SELECT * FROM orders JOIN sqlite_master ON 1",
        "SELECT * FROM dbstat", "SELECT * FROM sqlite_dbpage", "SELECT * FROM sqlite_stmt",
        "SELECT * FROM bytecode('SELECT 1')", "SELECT * FROM tables_used('SELECT 1')", "SELECT * FROM pragma_database_list",
        "SELECT file FROM pragma_database_list", "SELECT * FROM pragma_table_info('orders')", "SELECT * FROM pragma_compile_options",
        "SELECT * FROM pragma_module_list", "SELECT * FROM pragma_function_list", "SELECT * FROM pragma_table_list",
        "SELECT * FROM pragma_index_list('orders')", "SELECT * FROM pragma_vfs_list",
        "PRAGMA database_list", "PRAGMA table_info(orders)", "PRAGMA compile_options", "PRAGMA integrity_check",
        "SELECT * FROM sqlite_sequence", "SELECT * FROM sqlite_stat1",
        "SELECT sqlite_compileoption_get(1)", "SELECT sqlite_compileoption_used('THREADSAFE')", "SELECT sqlite_source_id()",
        "SELECT sqlite_offset(id) FROM orders", "SELECT * FROM csv('{dir}/secret.sqlite')",
        "SELECT * FROM zipfile('{dir}/secret.sqlite')", "SELECT getenv('PATH')", "SELECT sqlite_log(1, 'x')",
        "SELECT * FROM \"sqlite_master\"", "SELECT * FROM [sqlite_master]", "SELECT * FROM `sqlite_schema`", "SELECT * FROM SQLITE_MASTER",
        "VALUES (1)", "", ";", "--", "SELECT", "nonsense",
    ];

    /// <summary>Each would take time or memory without end.</summary>
    public static IEnumerable<string> Hangs =>
    [
        "WITH RECURSIVE a(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM a) SELECT count(*) FROM a",
        "WITH RECURSIVE a(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM a) SELECT n FROM a",
        "WITH RECURSIVE a(n) AS (SELECT 1 UNION SELECT n + 1 FROM a) SELECT max(n) FROM a",
        "WITH RECURSIVE a(n, t) AS (SELECT 1, 'x' UNION ALL SELECT n + 1, t || t FROM a) SELECT length(t) FROM a",
        "WITH RECURSIVE a(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM a) SELECT group_concat(hex(randomblob(1000))) FROM a",
        "WITH RECURSIVE a(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM a) SELECT n, randomblob(1000) AS r FROM a ORDER BY r",
        "WITH RECURSIVE a(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM a LIMIT 100000000) SELECT sum(n) FROM a",
        "SELECT count(*) FROM big a, big b, big c, big d", "SELECT count(*) FROM big a, big b, big c WHERE a.n + b.n + c.n = -1",
        "SELECT count(*) FROM big a JOIN big b ON a.n <> b.n JOIN big c ON b.n <> c.n JOIN big d ON c.n <> d.n",
        "SELECT hex(zeroblob(1000000000))", "SELECT zeroblob(2147483647)", "SELECT printf('%.*c', 1000000000, 'x')",
        "SELECT replace(hex(zeroblob(3000000)), '0', hex(zeroblob(1000000)))",
        "SELECT (SELECT group_concat(a.n || b.n) FROM big a, big b, big c)", "SELECT DISTINCT a.n * b.n * c.n FROM big a, big b, big c",
        "SELECT max(instr(hex(zeroblob(1900000)), hex(zeroblob(900000)) || '1')) FROM big",
        "SELECT sum(length(hex(randomblob(1000000)))) FROM big a, big b",
        "SELECT json_group_array(a.n) FROM big a, big b, big c",
        "SELECT sum(a.n) OVER (ORDER BY a.n ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) FROM big a, big b, big c",
        "SELECT " + string.Concat(Enumerable.Repeat("(", 5000)) + "1" + string.Concat(Enumerable.Repeat(")", 5000)),
        "SELECT 1" + string.Concat(Enumerable.Repeat(" + 1", 30_000)),
        "SELECT 1" + string.Concat(Enumerable.Repeat(" UNION ALL SELECT 1", 3_000)),
        "SELECT * FROM big WHERE n IN (" + string.Join(',', Enumerable.Range(0, 60_000)) + ")",
    ];
}
