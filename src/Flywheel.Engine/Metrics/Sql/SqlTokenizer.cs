using System.Globalization;
using System.Text;

namespace Flywheel.Engine.Metrics.Sql;

/// <summary>Cuts an expression into words, literals and symbols; anything else is refused on sight.</summary>
static class SqlTokenizer
{
    public const int MaxLength = 4_000;
    public const int MaxTextLength = 1_000;
    const int MaxNumberLength = 20;

    static readonly string[] Symbols = ["<>", "<=", ">=", "!=", "||", "<", ">", "=", "+", "-", "*", "/", "(", ")", ","];

    public static IReadOnlyList<SqlToken> Read(string sql)
    {
        if (sql.Length > MaxLength)
            throw new SqlExpressionException(MaxLength + 1, $"the expression has {sql.Length} characters; the limit is {MaxLength}.");
        var tokens = new List<SqlToken>();
        for (var at = 0; at < sql.Length;)
        {
            var c = sql[at];
            if (c is ' ' or '\t' or '\r' or '\n')
                at++;
            else if (char.IsAsciiLetter(c) || c == '_')
                at = Word(sql, at, tokens);
            else if (char.IsAsciiDigit(c) || c == '.' && at + 1 < sql.Length && char.IsAsciiDigit(sql[at + 1]))
                at = Number(sql, at, tokens);
            else if (c == '\'')
                at = Text(sql, at, tokens);
            else
                at = Symbol(sql, at, tokens);
        }
        tokens.Add(new(SqlTokenKind.End, "", sql.Length + 1));
        return tokens;
    }

    static int Word(string sql, int at, List<SqlToken> tokens)
    {
        var end = at;
        while (end < sql.Length && (char.IsAsciiLetterOrDigit(sql[end]) || sql[end] == '_'))
            end++;
        if (end < sql.Length && sql[end] == '\'')
            throw new SqlExpressionException(at + 1, "texts have no prefix: write the plain text in single quotes.");
        tokens.Add(new(SqlTokenKind.Word, sql[at..end], at + 1));
        return end;
    }

    static int Number(string sql, int at, List<SqlToken> tokens)
    {
        var end = at;
        while (end < sql.Length && (char.IsAsciiLetterOrDigit(sql[end]) || sql[end] is '.' or '_'
               || sql[end] is '+' or '-' && sql[end - 1] is 'e' or 'E' && end - 1 > at))
            end++;
        var digits = sql[at..end];
        const NumberStyles style = NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
        if (digits.Length > MaxNumberLength || digits.Any(c => !(char.IsAsciiDigit(c) || c is '.' or 'e' or 'E' or '+' or '-'))
            || !double.TryParse(digits, style, CultureInfo.InvariantCulture, out var value) || !double.IsFinite(value))
            throw new SqlExpressionException(
                at + 1, $"{new SqlToken(SqlTokenKind.Number, digits, 0).Shown} is no number such as 42, 0.5 or 1e6.");
        tokens.Add(new(SqlTokenKind.Number, digits, at + 1));
        return end;
    }

    static int Text(string sql, int at, List<SqlToken> tokens)
    {
        var text = new StringBuilder();
        for (var i = at + 1; i < sql.Length; i++)
        {
            if (sql[i] == '\'' && (i + 1 == sql.Length || sql[i + 1] != '\''))
            {
                if (Core.Traces.SpanRules.Text(text.ToString()) is { } problem)
                    throw new SqlExpressionException(at + 1, "the text " + problem);
                if (text.Length > MaxTextLength)
                    throw new SqlExpressionException(at + 1, $"the text has {text.Length} characters; the limit is {MaxTextLength}.");
                tokens.Add(new(SqlTokenKind.Text, text.ToString(), at + 1));
                return i + 1;
            }
            i += sql[i] == '\'' ? 1 : 0;
            text.Append(sql[i]);
        }
        throw new SqlExpressionException(at + 1, "the text has no closing quote; a quote inside a text is written twice ('it''s').");
    }

    static int Symbol(string sql, int at, List<SqlToken> tokens)
    {
        var rest = sql.AsSpan(at);
        if (rest.StartsWith("--") || rest.StartsWith("/*"))
            throw new SqlExpressionException(at + 1, rest[0] == '-'
                ? "comments are not allowed; for a double minus leave a space."
                : "comments are not allowed.");
        foreach (var symbol in Symbols)
            if (rest.StartsWith(symbol))
            {
                tokens.Add(new(SqlTokenKind.Symbol, symbol, at + 1));
                return at + symbol.Length;
            }
        throw new SqlExpressionException(at + 1, rest[0] switch
        {
            ';' => "only one expression is allowed, no `;`.",
            '"' or '`' or '[' => "write texts in 'single quotes' and columns without quotes.",
            '?' or ':' or '@' or '$' => "parameters and casts are not allowed.",
            '%' => "`%` is not allowed outside a LIKE pattern.",
            var c when char.IsControl(c) || c > '~' => $"the character U+{(int)c:X4} is not allowed outside a text.",
            var c => $"`{c}` is not allowed.",
        });
    }
}
