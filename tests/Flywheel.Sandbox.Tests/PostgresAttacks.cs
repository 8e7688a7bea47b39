namespace Flywheel.SandboxTests;

/// <summary>Statements that a model could be talked into writing for PostgreSQL.</summary>
internal static class PostgresAttacks
{
    public static IEnumerable<string> All => Writes.Concat(Looks).Concat(Hangs);

    public static IEnumerable<string> Writes =>
    [
        "DELETE FROM orders", "DELETE FROM orders RETURNING *", "UPDATE orders SET total = 0", "UPDATE orders SET total = 0 RETURNING id",
        "INSERT INTO orders VALUES (9, 1, 1)", "INSERT INTO orders VALUES (10, 1, 1) RETURNING *",
        "TRUNCATE orders", "CREATE TABLE a1 (a int)", "CREATE TABLE a2 AS SELECT * FROM orders", "SELECT * INTO a3 FROM orders",
        "SELECT 1 AS a INTO TEMP a4", "CREATE TEMP TABLE a5 (a int)", "CREATE UNLOGGED TABLE a6 (a int)",
        "CREATE VIEW a7 AS SELECT 1", "CREATE MATERIALIZED VIEW a8 AS SELECT 1", "CREATE INDEX a9 ON orders (total)", "CREATE SEQUENCE a10",
        "CREATE SCHEMA a11", "CREATE TYPE a12 AS ENUM ('x')", "CREATE DOMAIN a13 AS int",
        "CREATE FUNCTION a14() RETURNS int LANGUAGE sql AS 'SELECT 1'", "CREATE ROLE a15", "CREATE EXTENSION pgcrypto",
        "CREATE RULE a16 AS ON SELECT TO orders DO ALSO NOTHING", "ALTER TABLE orders ADD COLUMN x int",
        "ALTER ROLE CURRENT_USER SET statement_timeout = 0", "ALTER SYSTEM SET work_mem = '1GB'",
        "ALTER DATABASE postgres SET work_mem = '1GB'", "GRANT ALL ON orders TO PUBLIC", "REVOKE ALL ON orders FROM PUBLIC",
        "COMMENT ON TABLE orders IS 'x'",
        "COPY orders TO '/tmp/flywheel-attack.csv'", "COPY orders TO STDOUT", "COPY orders FROM '/etc/passwd'",
        "COPY (SELECT 1) TO PROGRAM 'touch /tmp/flywheel-attack'", "DO $$ BEGIN EXECUTE 'DELETE FROM orders'; END $$",
        "CALL a()", "LOCK TABLE orders", "VACUUM", "VACUUM orders", "ANALYZE orders", "REINDEX TABLE orders", "CLUSTER orders",
        "CHECKPOINT", "DISCARD ALL", "LISTEN a", "NOTIFY a, 'x'", "UNLISTEN *", "LOAD 'x'",
        "SET statement_timeout = 0", "SET ROLE postgres", "SET SESSION AUTHORIZATION postgres", "RESET ALL", "RESET ROLE",
        "SET TRANSACTION READ WRITE", "BEGIN", "COMMIT", "ROLLBACK", "PREPARE a AS DELETE FROM orders", "EXECUTE a",
        "DECLARE c CURSOR FOR SELECT 1", "FETCH c",
        "SELECT 1; DELETE FROM orders", "SELECT 1; COMMIT; DELETE FROM orders",
        "SELECT set_config('statement_timeout', '0', false); SELECT pg_sleep(9)", "SELECT 1; SET statement_timeout = 0",
        "COMMIT; DROP TABLE orders; BEGIN", "SELECT 1;\n;DROP TABLE orders",
        "WITH x AS (DELETE FROM orders RETURNING *) SELECT * FROM x",
        "WITH x AS (INSERT INTO orders VALUES (11, 1, 1) RETURNING *) SELECT * FROM x",
        "WITH x AS (UPDATE orders SET total = 1 RETURNING *) SELECT * FROM x",
        "WITH x AS (SELECT 1) DELETE FROM orders", "WITH x AS MATERIALIZED (DELETE FROM orders RETURNING 1) SELECT 1",
        "/* SELECT */ DELETE FROM orders", "-- SELECT\nDELETE FROM orders", "EXPLAIN ANALYZE DELETE FROM orders",
        "EXPLAIN (ANALYZE) SELECT 1",
        "SELECT * FROM orders FOR UPDATE", "SELECT * FROM orders FOR SHARE", "SELECT * FROM orders FOR NO KEY UPDATE",
        "SELECT * FROM orders FOR KEY SHARE", "SELECT lo_create(0)", "SELECT lo_create(424242)", "SELECT lo_creat(-1)",
        "SELECT lo_from_bytea(0, 'x')", "SELECT lo_import('/etc/passwd')",
        "SELECT lo_export(424242, '/tmp/flywheel-attack')", "SELECT lo_unlink(424242)", "SELECT lo_put(424242, 0, 'x')",
        "SELECT lo_open(424242, 131072)", "SELECT lowrite(0, 'x')", "SELECT lo_truncate(0, 0)", "SELECT \"lo_create\"(0)",
        "SELECT pg_catalog.lo_create(0)", "SELECT LO_CREATE(0)", "SELECT lo_create (0)", "SELECT lo_create/**/(0)",
        "SELECT U&\"lo\\005fcreate\"(0)", "SELECT set_config('statement_timeout', '0', false)",
        "SELECT set_config('transaction_read_only', 'off', true)", "SELECT set_config('role', 'postgres', false)",
        "SELECT set_config('search_path', 'evil', false)", "SELECT pg_catalog.set_config('work_mem', '1GB', false)",
        "SELECT nextval('numbers')", "SELECT setval('numbers', 99)", "SELECT currval('numbers')", "SELECT lastval()",
        "SELECT pg_notify('a', 'x')", "SELECT pg_advisory_lock(1)", "SELECT pg_try_advisory_lock(1)", "SELECT pg_advisory_xact_lock(1)",
        "SELECT pg_reload_conf()", "SELECT pg_rotate_logfile()", "SELECT pg_switch_wal()", "SELECT pg_create_restore_point('x')",
        "SELECT pg_backup_start('x')", "SELECT pg_create_physical_replication_slot('x')", "SELECT pg_replication_origin_create('x')",
        "SELECT pg_logical_emit_message(false, 'a', 'b')", "SELECT pg_stat_reset()",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity", "SELECT pg_cancel_backend(1)", "SELECT txid_current()",
        "SELECT pg_current_xact_id()", "SELECT pg_file_write('a', 'b', false)",
        "SELECT query_to_xml('DELETE FROM orders RETURNING 1', true, true, '')",
        "SELECT dblink_exec('dbname=postgres', 'DELETE FROM orders')", "SELECT dblink('dbname=postgres', 'SELECT 1')", "SELECT writer()",
        "SELECT sly_writer()",
    ];

    public static IEnumerable<string> Looks =>
    [
        "SELECT * FROM vault", "SELECT word FROM public.vault", "SELECT (SELECT word FROM vault)",
        "SELECT * FROM orders UNION SELECT 1, 1, length(word) FROM vault", "TABLE vault", "SELECT peek()",
        "SELECT pg_read_file('/etc/passwd')", "SELECT pg_read_file('postgresql.conf')", "SELECT pg_read_binary_file('/etc/passwd')",
        "SELECT pg_ls_dir('.')", "SELECT pg_ls_logdir()", "SELECT pg_stat_file('/etc/passwd')",
        "SELECT * FROM pg_ls_waldir()", "SELECT * FROM pg_authid", "SELECT * FROM pg_shadow", "SELECT * FROM pg_user",
        "SELECT * FROM pg_roles", "SELECT * FROM pg_stat_activity", "SELECT query FROM pg_catalog.pg_stat_activity",
        "SELECT * FROM pg_settings", "SELECT * FROM pg_class", "SELECT * FROM pg_proc", "SELECT * FROM pg_tables", "SELECT * FROM pg_stats",
        "SELECT * FROM pg_hba_file_rules", "SELECT * FROM pg_file_settings",
        "SELECT * FROM \"pg_class\"", "SELECT * FROM PG_CLASS", "SELECT * FROM U&\"pg\\005fclass\"",
        "SELECT * FROM information_schema.tables", "SELECT * FROM information_schema.columns", "SELECT current_setting('data_directory')",
        "SELECT current_setting('config_file', true)", "SELECT inet_server_addr()", "SELECT inet_client_addr()", "SELECT version()",
        "SELECT pg_postmaster_start_time()", "SELECT pg_get_functiondef(1)", "SELECT pg_get_viewdef('x')",
        "SELECT query_to_xml('SELECT * FROM vault', true, true, '')", "SELECT table_to_xml('vault', true, true, '')",
        "SELECT schema_to_xml('public', true, true, '')", "SELECT database_to_xml(true, true, '')",
        "SELECT ts_stat('SELECT word::tsvector FROM vault')", "SELECT has_table_privilege('vault', 'SELECT')", "SELECT obj_description(1)",
        "SELECT lo_get(424242)", "SELECT loread(0, 1)", "SELECT pg_ls_tmpdir()", "SHOW data_directory", "SHOW ALL", "VALUES (1)", "", ";",
        "nonsense", "SELECT * FROM pg_largeobject", "SELECT 'x'::regclass, relname FROM pg_catalog.pg_class",
    ];

    public static IEnumerable<string> Hangs =>
    [
        "SELECT pg_sleep(60)", "SELECT pg_sleep_for('1 hour')", "SELECT pg_sleep_until(now() + interval '1 hour')",
        "SELECT count(*) FROM generate_series(1, 100000000000)",
        "SELECT count(*) FROM generate_series(1, 100000) a, generate_series(1, 100000) b",
        "WITH RECURSIVE a(n) AS (SELECT 1::bigint UNION ALL SELECT n + 1 FROM a) SELECT count(*) FROM a",
        "WITH RECURSIVE a(n) AS (SELECT 1::bigint UNION ALL SELECT n + 1 FROM a) SELECT n FROM a",
        "SELECT string_agg(repeat('x', 1000), '') FROM generate_series(1, 900000)",
        "SELECT string_agg(md5(n::text), '') FROM generate_series(1, 100000000) n",
        "SELECT array_agg(n) FROM generate_series(1, 100000000) n", "SELECT n FROM generate_series(1, 100000000) n ORDER BY md5(n::text)",
        "SELECT DISTINCT md5(n::text) FROM generate_series(1, 100000000) n", "SELECT repeat('x', 900000000)",
        "SELECT length(repeat('x', 900000000) || repeat('y', 900000000))", "SELECT json_agg(n) FROM generate_series(1, 100000000) n",
        "SELECT n, repeat('x', 1000000) FROM generate_series(1, 100000) n", "SELECT factorial(100000)", "SELECT 9::numeric ^ 99999.5 ^ 3",
        "SELECT count(*) FROM orders a, orders b, orders c, orders d, generate_series(1, 1000000000)",
        "SELECT regexp_replace(repeat('a', 30000), '(a|aa)+$', 'b') ~ '(x+x+)+y' FROM generate_series(1, 1000000)",
        "SELECT 1" + string.Concat(Enumerable.Repeat(" + 1", 20_000)) + " FROM generate_series(1, 100000000)",
    ];
}
