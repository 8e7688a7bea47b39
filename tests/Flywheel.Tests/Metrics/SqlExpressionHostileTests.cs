using Flywheel.Engine.Metrics.Sql;

namespace Flywheel.Tests.Metrics;

public class SqlExpressionHostileTests
{
    public static TheoryData<string> Attacks { get; } =
    [
        // Statements, and what would end ours.
        "1=1; DROP TABLE span", "1=1;", ";", "1=1 ; --", "output = 'a'; ATTACH DATABASE '/tmp/x' AS y", "VACUUM INTO '/tmp/x'",
        "PRAGMA table_info(span)", "pragma_table_info('span') IS NOT NULL", "1=1 UNION SELECT 1",
        "1=1 UNION ALL SELECT secret FROM api_key",
        "DELETE FROM span", "COPY span TO '/tmp/x'",
        // Comments.
        "1=1 --", "1=1 -- x\nOR 1=1", "1=1 /* x */", "1=/**/1", "1=1 /*", "1=1 # x", "length(output)--1 > 0",
        // Subqueries.
        "(SELECT 1) = 1", "EXISTS (SELECT 1)", "output IN (SELECT secret FROM api_key)", "node IN (VALUES ('a'))",
        "(WITH x AS (SELECT 1) SELECT 1) = 1",
        "length((SELECT secret FROM api_key)) > 0", "coalesce((SELECT 1), 1) = 1", "output IN api_key", "1 = ANY (SELECT 1)",
        // Functions.
        "load_extension('/tmp/x.so') IS NULL", "randomblob(1000000000) IS NULL", "zeroblob(1000000000) IS NULL", "pg_sleep(10) IS NULL",
        "pg_read_file('/etc/passwd') LIKE '%'", "lo_import('/etc/passwd') > 0", "set_config('statement_timeout', '0', false) = '0'",
        "printf('%s', output) = ''",
        "readfile('/etc/passwd') IS NULL", "writefile('/tmp/x', output) IS NULL", "current_setting('x') = ''", "dblink('x', 'y') IS NULL",
        "sqlite_version() = ''", "char(39) = ''", "chr(39) = ''", "hex(output) = ''", "count(*) > 0", "group_concat(output) = ''",
        "length(*) > 0",
        "length(DISTINCT output) > 0", "likelihood(output, 1) = ''", "repeat('a', 1000000000) = ''",
        "regexp_replace(output, 'a', 'b') = ''",
        "generate_series(1, 1000000000) = 1", "json_extract(output, '$.a') = ''", "query_to_xml('select 1', true, true, '') IS NULL",
        // Other operators, casts, quotes, parameters.
        "output::text = ''", "CAST(output AS INTEGER) = 1", "output COLLATE NOCASE = ''", "output GLOB '*'", "output REGEXP 'a'",
        "output ~ 'a'",
        "output MATCH 'a'", "output -> 'a' = ''", "output ->> 'a' = ''", "1 & 1 = 1", "1 << 62 = 1", "~1 = 1", "1 % 2 = 1", "a.b = 1",
        "main.span.output = ''",
        "\"output\" = ''", "`output` = ''", "[output] = ''", "output = \"x\"", "$1 = 1", "?1 = 1", ":x = 1", "@x = 1", "@@version = ''",
        "$$x$$ = ''",
        "$tag$x$tag$ = ''", "rowid = 1", "_rowid_ = 1", "ctid = ''", "project_id = 1", "secret_hash = ''", "current_user = ''",
        "CURRENT_TIMESTAMP = ''",
        "output IS DISTINCT FROM 'a'", "output ISNULL", "output NOTNULL", "output SIMILAR TO 'a'", "RAISE(ABORT, 'x')",
        "output OVER () = ''",
        "output BETWEEN 'a'", "ROW(1, 2) = ROW(1, 2)", "(1, 2) = (1, 2)", "ARRAY[1] = 1", "INTERVAL '1 day' > 1", "DATE '2026-01-01' > ''",
        // Prefixed texts and escapes.
        "output = E'\\x27'", "output = U&'\\0027'", "output = X'27'", "output = N'a'", "output = e'\\''", "output = 'a\0b'",
        "output = '\ud800'",
        "output = ''' OR 1=1", "output = 'a' 'b'", "output = 'unclosed",
        // Characters that look like others.
        "output \u2212 1 = 1", "output = \u2018a\u2019", "\uFF53elect = 1", "output\u00A0= 'a'", "output = 'a'\u037E", "\u200Boutput = 'a'",
        "output = \u0000", "1\u20441=1",
        // Numbers.
        "0x10 = 16", "1_000 = 1000", "1e999 > 1", "1e = 1", "1..2 = 1", "99999999999999999999999 > 1", "1 = 1abc", "- - = 1",
    ];

    [Theory]
    [MemberData(nameof(Attacks))]
    public void What_is_not_on_the_list_is_refused(string attack) =>
        Assert.Throws<SqlExpressionException>(() => SqlExpression.Parse(attack));

    public static TheoryData<string, string> Sizes { get; } = new()
    {
        { "brackets", new string('(', 1_900) + "1=1" + new string(')', 1_900) },
        { "nots", string.Concat(Enumerable.Repeat("NOT ", 900)) + "TRUE" },
        { "signs", "1 = " + string.Concat(Enumerable.Repeat("- ", 1_900)) + "1" },
        { "calls", string.Concat(Enumerable.Repeat("abs(", 500)) + "1" + new string(')', 500) + " = 1" },
        { "cases", string.Concat(Enumerable.Repeat("CASE WHEN TRUE THEN ", 150)) + "TRUE" + string.Concat(Enumerable.Repeat(" END", 150)) },
        { "ors", string.Join(" OR ", Enumerable.Repeat("1=1", 500)) },
        { "text", $"output = '{new string('a', 1_001)}'" },
        { "expression", "output = 'a' " + new string(' ', 4_000) },
        { "values", $"node IN ({string.Join(",", Enumerable.Repeat("'a'", 201))})" },
        { "wildcards", $"output LIKE '{string.Concat(Enumerable.Repeat("%a", 9))}'" },
        { "pattern", $"output LIKE '{new string('_', 201)}'" },
        { "searches", string.Join(" AND ", Enumerable.Repeat("output LIKE '%a%'", 17)) },
        { "needle", "instr(output, input) > 0" },
        { "replacement", "replace(output, 'a', output) = ''" },
        { "growing replacements", "length(replace(replace(output, 'a', 'aaa'), 'a', 'aaa')) > 0" },
        { "growing joins", "output || output || output || output || output || output || output || output || output = ''" },
        { "growing cases", "replace(CASE WHEN TRUE THEN output || output || output END, 'a', 'aaa') = ''" },
        { "arguments", $"coalesce({string.Join(",", Enumerable.Repeat("output", 21))}) = ''" },
    };

    [Theory]
    [MemberData(nameof(Sizes))]
    public void What_is_too_big_or_could_become_so_is_refused_at_once(string what, string attack)
    {
        var taken = ThreadTime.Of(() => Assert.Throws<SqlExpressionException>(() => SqlExpression.Parse(attack)));

        Assert.True(taken < TimeSpan.FromSeconds(1), what);
    }
}
