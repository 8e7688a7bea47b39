namespace Flywheel.Engine.Metrics.Sql;

/// <summary>A boolean SQL expression over one span's columns, checked and ready for either database.</summary>
/// <remarks>
/// Column names, texts, numbers, TRUE, FALSE; = &lt;&gt; &lt; &lt;= &gt; &gt;=, AND, OR, NOT, IS [NOT] NULL, [NOT] IN (values), [NOT]
/// BETWEEN,
/// [NOT] LIKE 'pattern' [ESCAPE 'x']; + - * / ||; CASE; length, lower, upper, trim, abs, round, coalesce, instr, substr, replace.
/// Nothing else: the SQL is written anew from the parsed expression, so no character of the user's outside a text reaches a database.
/// Sizes are bounded too, but a database under load may still want a time limit around the evaluation.
/// </remarks>
public sealed class SqlExpression
{
    readonly SqlNode _root;

    SqlExpression(SqlNode root, IReadOnlyList<string> columns)
    {
        _root = root;
        Columns = columns;
    }

    /// <summary>The columns that it names, each once, in the order of <see cref="SqlColumns.All"/>.</summary>
    public IReadOnlyList<string> Columns { get; }

    /// <exception cref="SqlExpressionException">It is no allowed expression.</exception>
    public static SqlExpression Parse(string text)
    {
        var tokens = SqlTokenizer.Read(text);
        var root = new SqlParser(tokens).Whole();
        var words = tokens.Where(token => token.Kind == SqlTokenKind.Word).Select(token => token.Value)
            .ToHashSet(StringComparer.OrdinalIgnoreCase);
        return new(root, [.. SqlColumns.All.Select(column => column.Name).Where(words.Contains)]);
    }

    /// <summary>
    /// The expression for a row that has the columns of <see cref="SqlColumns"/>: texts as text, numbers as any numeric type,
    /// <c>started_at</c> as text in <see cref="SqlColumns.TimeFormat"/>.
    /// </summary>
    public string ToSql(SqlDialect dialect) => SqlWriter.Write(_root, dialect);
}
