using CsCheck;
using Flywheel.Core.Metrics;
using Flywheel.Core.Traces;
using Flywheel.Engine.Metrics.Sql;
using static Flywheel.Tests.Metrics.Checks;

namespace Flywheel.Tests.Metrics;

public class SqlExpressionTests
{
    static readonly NewSpan Span = new()
    {
        Key = new("t", "s"), Node = "sql", Kind = NodeKind.Codegen, Input = "How many orders?",
        Output = "SELECT count(*) FROM orders -- it's \\ done",
        StartedAt = Noon, DurationMs = 250.5, Model = "gpt-x", InputTokens = 7, OutputTokens = 2, EndUser = "ann",
    };

    [Theory]
    [InlineData("length(output) < 400", true)]
    [InlineData("length(output) > 400 OR error IS NULL", true)]
    [InlineData("error IS NOT NULL", false)]
    [InlineData("NOT error IS NULL", false)]
    [InlineData("kind = 'codegen' AND node IN ('sql', 'other')", true)]
    [InlineData("node NOT IN ('sql')", false)]
    [InlineData("duration_ms BETWEEN 250 AND 251", true)]
    [InlineData("duration_ms NOT BETWEEN 250 AND 251", false)]
    [InlineData("input_tokens / output_tokens = 3.5", true)]
    [InlineData("input_tokens / (output_tokens - 2) > 0", null)]
    [InlineData("1 + 2 * 3 = 7", true)]
    [InlineData("(1 + 2) * 3 = 9", true)]
    [InlineData("10 - 3 - 2 = 5", true)]
    [InlineData("- -3 = 3", true)]
    [InlineData("output LIKE 'select%'", true)]
    [InlineData("output LIKE '%it''s \\ done'", true)]
    [InlineData("output NOT LIKE '%delete%'", true)]
    [InlineData("output LIKE '%(!*)%' ESCAPE '!'", null, true)]
    [InlineData("'50%' LIKE '50!%' ESCAPE '!'", true)]
    [InlineData("'50x' LIKE '50!%' ESCAPE '!'", false)]
    [InlineData("upper(substr(output, 1, 6)) = 'SELECT'", true)]
    [InlineData("instr(lower(output), 'from') > 0", true)]
    [InlineData("replace(model, 'gpt', 'llm') || '!' = 'llm-x!'", true)]
    [InlineData("trim('  a ') = 'a'", true)]
    [InlineData("abs(-2.5) = 2.5 AND round(2.345, 2) = 2.35 AND round(2.5) = 3", true)]
    [InlineData("coalesce(error, session, 'none') = 'none'", true)]
    [InlineData("CASE WHEN input_tokens > 5 THEN 'long' ELSE 'short' END = 'long'", true)]
    [InlineData("CASE kind WHEN 'writer' THEN length(output) < 10 ELSE TRUE END", true)]
    [InlineData("cost_usd < 1", null)]
    [InlineData("cost_usd < 1 OR TRUE", true)]
    [InlineData("started_at >= '2026-03-01' AND started_at < '2026-03-02'", true)]
    [InlineData("(length(output) > 3) = (length(input) > 3)", true)]
    [InlineData("'a' < 'B'", false)]
    [InlineData("OUTPUT is not null and Length(Output) != 0", true)]
    [InlineData("1e3 = 1000 AND .5 = 0.5", true)]
    public void It_is_evaluated_by_the_database(string expression, bool? expected, bool isRefused = false)
    {
        if (isRefused)
            Assert.Throws<SqlExpressionException>(() => SqlExpression.Parse(expression));
        else
            Assert.Equal(expected, SqliteEvaluator.Evaluate(SqlExpression.Parse(expression), Span));
    }

    [Theory]
    [InlineData("outptu = 'x'", 1, "Did you mean `output`?")]
    [InlineData("output = 'x' AND lenght(output) > 1", 18, "Did you mean `length`?")]
    [InlineData("length(output) > '5'", 16, "compares a number with a text")]
    [InlineData("length(output)", 1, "needs true or false")]
    [InlineData("output = NULL", 10, "IS NULL")]
    [InlineData("output == 'x'", 9, "single `=`")]
    [InlineData("output = \"x\"", 10, "'single quotes'")]
    [InlineData("output = 'x", 10, "no closing quote")]
    [InlineData("length(output) <", 17, "the end is not expected here")]
    [InlineData("length output < 5", 1, "is a function: write its values in brackets")]
    [InlineData("password = 'x'", 1, "The columns are `node`, `kind`, `input`")]
    [InlineData("", 1, "is empty")]
    [InlineData("output LIKE input", 13, "must be a text in single quotes")]
    [InlineData("error IS 'x'", 10, "NULL or NOT NULL")]
    [InlineData("(output = 'x'", 14, "`)` should stand here")]
    [InlineData("TRUE < FALSE", 6, "conditions have no order")]
    public void A_refusal_names_the_place_and_the_remedy(string expression, int position, string words)
    {
        var refused = Assert.Throws<SqlExpressionException>(() => SqlExpression.Parse(expression));

        Assert.Equal(position, refused.Position);
        Assert.Contains(words, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Each_database_gets_its_own_words()
    {
        var expression = SqlExpression.Parse(@"instr(output, 'a\b') > 0 AND node LIKE 'A_%'");

        Assert.Equal(@"((CAST(instr([output], 'a\b') AS REAL) > 0.0) AND ([node] LIKE 'A_%'))", expression.ToSql(SqlDialect.Sqlite));
        Assert.Equal(
            """((strpos(("output" COLLATE "C"), (E'a\\b'::text COLLATE "C"))::double precision > 0::double precision) AND """
            + """(lower(("node" COLLATE "C")) LIKE ('a_%'::text COLLATE "C") ESCAPE (''::text COLLATE "C")))""",
            expression.ToSql(SqlDialect.Postgres));
        Assert.Equal(["node", "output"], expression.Columns);
    }

    [Fact]
    public void A_texts_content_never_leaves_its_quotes() => Gen.String.Where(text => SpanRules.Text(text) is null).Sample(text =>
    {
        var expression = SqlExpression.Parse($"output = '{text.Replace("'", "''", StringComparison.Ordinal)}'");

        Assert.True(SqliteEvaluator.Evaluate(expression, Span with { Output = text }));
    }, iter: 300);

    [Theory]
    [InlineData("x'; DROP TABLE span; --")]
    [InlineData(@"\'; DROP TABLE span; --")]
    [InlineData(@"\\")]
    [InlineData("$$")]
    [InlineData("' || (SELECT 1) || '")]
    public void Hostile_texts_are_texts(string text) =>
        Assert.True(SqliteEvaluator.Evaluate(
            SqlExpression.Parse($"output = '{text.Replace("'", "''", StringComparison.Ordinal)}'"), Span with { Output = text }));

    [Fact]
    public void Arithmetic_agrees_with_ours() => Gen.Select(Gen.Int[-50, 50], Gen.Int[-50, 50], Gen.Int[1, 50]).Sample((a, b, c) =>
    {
        var expression = SqlExpression.Parse($"{a} - {b} * {c} / 4 <= {b} + {a}");

        Assert.Equal(a - b * c / 4.0 <= b + a, SqliteEvaluator.Evaluate(expression, Span));
    }, iter: 200);

    [Fact]
    public void No_input_is_a_fault() => Gen.OneOf(Gen.String, Gen.OneOfConst(
            "length", "(", ")", "output", "'", "'x'", "AND", "NOT", "IS", "NULL", "IN", ",", "=", "<", "-", "--", "1", "CASE", "WHEN",
            "THEN", "END", "LIKE", "BETWEEN")
        .List[0, 30].Select(words => string.Join(' ', words))).Sample(text =>
    {
        try
        {
            _ = SqliteEvaluator.Evaluate(SqlExpression.Parse(text), Span);
        }
        catch (SqlExpressionException refused)
        {
            Assert.InRange(refused.Position, 1, text.Length + 1);
        }
    }, iter: 3_000);

    [Fact]
    public void The_validator_says_what_was_null_and_checks_texts_without_a_span()
    {
        const string settings = """{"expression":"cost_usd < 0.01 AND length(output) > 1"}""";

        Assert.Equal(Finding.Unsure("the expression is null: the span has no `cost_usd`"),
            Check("sql-expression", settings, Span.Output, Span));
        Assert.Equal(Outcome.Pass, Check("sql-expression", settings, Span.Output, Span with { CostUsd = 0.001 }).Outcome);
        Assert.Equal(Outcome.Fail, Check("sql-expression", settings, "x").Outcome);
    }
}
