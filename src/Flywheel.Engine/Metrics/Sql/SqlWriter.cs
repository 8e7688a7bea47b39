using System.Globalization;
using System.Text;

namespace Flywheel.Engine.Metrics.Sql;

/// <summary>Writes a checked expression in one database's words, so that it means the same in both.</summary>
/// <remarks>
/// Every number is double precision, a division by zero is null, texts compare by code point (UTF-8 bytes), <c>lower</c>, <c>upper</c>
/// and LIKE know the letters A to Z only, as SQLite does. A part is bracketed, so precedence never depends on the database.
/// </remarks>
sealed class SqlWriter(SqlDialect dialect)
{
    readonly StringBuilder _sql = new();

    bool IsPostgres => dialect == SqlDialect.Postgres;

    public static string Write(SqlNode node, SqlDialect dialect)
    {
        var writer = new SqlWriter(dialect);
        writer.Write(node);
        return writer._sql.ToString();
    }

    void Write(SqlNode node)
    {
        switch (node)
        {
            case SqlNode.Column { Of: var column }:
                Add(column.Type != SqlType.Text ? Real(Quoted(column)) : IsPostgres ? $"({Quoted(column)} COLLATE \"C\")" : Quoted(column));
                break;
            case SqlNode.TextLiteral { Value: var text }:
                Add(Literal(text));
                break;
            case SqlNode.NumberLiteral { Value: var number }:
                Add(Number(number));
                break;
            case SqlNode.BooleanLiteral { Value: var value }:
                Add(value ? "TRUE" : "FALSE");
                break;
            case SqlNode.Not { Inner: var inner }:
                Bracket("NOT ", inner);
                break;
            case SqlNode.Minus { Inner: var inner }:
                Bracket("- ", inner);
                break;
            case SqlNode.Binary { Operator: "/" } division:
                Bracket(division.Left, " / nullif(", division.Right, $", {Number(0)})");
                break;
            case SqlNode.Binary binary:
                Bracket(binary.Left, $" {binary.Operator} ", binary.Right);
                break;
            case SqlNode.IsNull test:
                Bracket(test.Inner, test.Negated ? " IS NOT NULL" : " IS NULL");
                break;
            case SqlNode.In test:
                Add("(");
                Write(test.Inner);
                Add(test.Negated ? " NOT IN (" : " IN (");
                List(test.Values);
                Add("))");
                break;
            case SqlNode.Between test:
                Bracket(test.Inner, test.Negated ? " NOT BETWEEN " : " BETWEEN ", test.Low, " AND ", test.High);
                break;
            case SqlNode.Like like:
                Like(like);
                break;
            case SqlNode.Case choice:
                Case(choice);
                break;
            case SqlNode.Call call:
                Call(call);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(node), node.GetType().Name, "No SQL is known for this part.");
        }
    }

    void Like(SqlNode.Like like)
    {
        var not = like.Negated ? " NOT LIKE " : " LIKE ";
        if (IsPostgres)
            Bracket("lower(", like.Inner,
                ")" + not + Literal(AsciiLower(like.Pattern)) + $" ESCAPE {Literal(like.Escape?.ToString() ?? "")}");
        else
            Bracket(like.Inner, not + Literal(like.Pattern) + (like.Escape is { } sign ? $" ESCAPE {Literal(sign.ToString())}" : ""));
    }

    void Case(SqlNode.Case choice)
    {
        Add("(CASE");
        if (choice.Subject is { } subject)
        {
            Add(" ");
            Write(subject);
        }
        foreach (var (when, then) in choice.Branches)
        {
            Add(" WHEN ");
            Write(when);
            Add(" THEN ");
            Write(then);
        }
        if (choice.Else is { } otherwise)
        {
            Add(" ELSE ");
            Write(otherwise);
        }
        Add(" END)");
    }

    void Call(SqlNode.Call call)
    {
        var arguments = call.Arguments;
        switch (call.Function)
        {
            case SqlFunction.Length:
                Convert("length", arguments);
                break;
            case SqlFunction.Instr:
                Convert(IsPostgres ? "strpos" : "instr", arguments);
                break;
            case SqlFunction.Round when IsPostgres:
                Bracket("round((", arguments[0], $")::numeric, {Digits(arguments)})::double precision");
                break;
            case SqlFunction.Round:
                Bracket("round(", arguments[0], $", {Digits(arguments)})");
                break;
            case SqlFunction.Substr:
                Add("substr(");
                Write(arguments[0]);
                foreach (var number in arguments.Skip(1))
                    Add(", " + Whole(number));
                Add(")");
                break;
            default:
                Add(call.Function.ToString().ToLowerInvariant() + "(");
                List(arguments);
                Add(")");
                break;
        }
    }

    void Convert(string function, IReadOnlyList<SqlNode> arguments)
    {
        Add(IsPostgres ? $"{function}(" : $"CAST({function}(");
        List(arguments);
        Add(IsPostgres ? ")::double precision" : ") AS REAL)");
    }

    void List(IReadOnlyList<SqlNode> nodes)
    {
        for (var i = 0; i < nodes.Count; i++)
        {
            Add(i == 0 ? "" : ", ");
            Write(nodes[i]);
        }
    }

    /// <summary>Texts and parts in their order, in brackets.</summary>
    void Bracket(params object[] parts)
    {
        Add("(");
        foreach (var part in parts)
            if (part is SqlNode node)
                Write(node);
            else
                Add((string)part);
        Add(")");
    }

    void Add(string sql) => _sql.Append(sql);

    /// <summary>In SQLite a name in double quotes that fits no column is taken for a text; one in brackets is an error.</summary>
    string Quoted(SqlColumn column) => IsPostgres ? $"\"{column.Name}\"" : $"[{column.Name}]";

    string Real(string sql) => IsPostgres ? $"({sql})::double precision" : $"CAST({sql} AS REAL)";

    string Number(double value)
    {
        var digits = value.ToString("R", CultureInfo.InvariantCulture);
        return IsPostgres ? $"{digits}::double precision" : digits.Contains('.') || digits.Contains('E') ? digits : digits + ".0";
    }

    static string Digits(IReadOnlyList<SqlNode> arguments) => arguments.Count == 1 ? "0" : Whole(arguments[1]);

    static string Whole(SqlNode literal) => ((long)((SqlNode.NumberLiteral)literal).Value).ToString(CultureInfo.InvariantCulture);

    /// <summary>PostgreSQL reads a backslash by a setting of the server, unless the text is marked.</summary>
    string Literal(string text)
    {
        var quoted = "'" + text.Replace("'", "''", StringComparison.Ordinal) + "'";
        if (!IsPostgres)
            return quoted;
        var marked = text.Contains('\\') ? "E" + quoted.Replace(@"\", @"\\", StringComparison.Ordinal) : quoted;
        return $"({marked}::text COLLATE \"C\")";
    }

    static string AsciiLower(string text) => string.Concat(text.Select(c => c is >= 'A' and <= 'Z' ? (char)(c + 32) : c));
}
