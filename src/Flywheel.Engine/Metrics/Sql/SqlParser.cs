using System.Globalization;
using Flywheel.Core;

namespace Flywheel.Engine.Metrics.Sql;

/// <summary>Recursive descent over an allow-list: what is not named here does not exist.</summary>
/// <remarks>Typed, so that the same expression means the same in both databases: no comparison of a text with a number, no truth of a
/// number.</remarks>
sealed class SqlParser(IReadOnlyList<SqlToken> tokens)
{
    const int MaxDepth = 40;
    const int MaxNodes = 300;
    const int MaxValues = 200;
    const int MaxWildcards = 8;
    const int MaxSearches = 16;

    static readonly HashSet<string> Reserved = new(StringComparer.OrdinalIgnoreCase)
    {
        "and", "or", "not", "is", "null", "in", "between", "like", "escape", "case", "when", "then", "else", "end", "true", "false",
    };

    int _at;
    int _depth;
    int _nodes;
    int _searches;

    SqlToken Next => tokens[_at];

    public SqlNode Whole()
    {
        if (Next.Kind == SqlTokenKind.End)
            throw Fail("the expression is empty: write a condition such as `length(output) < 400`.");
        var node = Or();
        if (Next.Kind != SqlTokenKind.End)
            throw Fail($"{Next.Shown} is not expected here: the expression could end before it, or go on with AND or OR.{Foreign(Next)}");
        return node.Type == SqlType.Boolean
            ? node
            : throw new SqlExpressionException(
                1, $"the expression gives a {Word(node.Type)}, but a metric needs true or false: compare it with something.");
    }

    SqlNode Or()
    {
        var left = And();
        while (Next.Is("or"))
            left = Logical("OR", left, And);
        return left;
    }

    SqlNode And()
    {
        var left = Not();
        while (Next.Is("and"))
            left = Logical("AND", left, Not);
        return left;
    }

    SqlNode.Binary Logical(string word, SqlNode left, Func<SqlNode> right)
    {
        var position = Take().Position;
        var other = right();
        return left.Type == SqlType.Boolean && other.Type == SqlType.Boolean
            ? Count(new SqlNode.Binary(word, left, other, SqlType.Boolean))
            : throw new SqlExpressionException(
                position, $"{word} joins conditions, but one side is a {Word(left.Type == SqlType.Boolean ? other.Type : left.Type)}.");
    }

    SqlNode Not()
    {
        if (!Next.Is("not"))
            return Comparison();
        var position = Take().Position;
        Enter();
        var inner = Not();
        Leave();
        return inner.Type == SqlType.Boolean
            ? Count(new SqlNode.Not(inner))
            : throw new SqlExpressionException(position, $"NOT needs a condition, not a {Word(inner.Type)}.");
    }

    SqlNode Comparison()
    {
        var left = Sum();
        while (true)
        {
            if (Next.Kind == SqlTokenKind.Symbol && Next.Value is "=" or "<>" or "!=" or "<" or "<=" or ">" or ">=")
                left = Compare(left);
            else if (Next.Is("is"))
                left = IsNull(left);
            else if (Next.Is("not") || Next.Is("in") || Next.Is("between") || Next.Is("like"))
                left = Test(left);
            else
                return left;
        }
    }

    SqlNode.Binary Compare(SqlNode left)
    {
        var sign = Take();
        if (Next.Is("null"))
            throw Fail("a comparison with NULL is never true: write IS NULL or IS NOT NULL.");
        if (Next.IsSymbol("="))
            throw Fail("write a single `=`.");
        var right = Sum();
        Same(left, right, sign.Position, $"`{sign.Value}`");
        if (left.Type == SqlType.Boolean && sign.Value is not ("=" or "<>" or "!="))
            throw new SqlExpressionException(sign.Position, "conditions have no order: compare them with = or <>.");
        return Count(new SqlNode.Binary(sign.Value == "!=" ? "<>" : sign.Value, left, right, SqlType.Boolean));
    }

    SqlNode.IsNull IsNull(SqlNode left)
    {
        Take();
        var negated = TakeIf("not");
        if (!TakeIf("null"))
            throw Fail("after IS only NULL or NOT NULL may stand.");
        return Count(new SqlNode.IsNull(left, negated));
    }

    SqlNode Test(SqlNode left)
    {
        var negated = TakeIf("not");
        var word = Next;
        if (TakeIf("in"))
            return In(left, negated, word.Position);
        if (TakeIf("like"))
            return Like(left, negated, word.Position);
        if (!TakeIf("between"))
            throw Fail("after NOT only IN, LIKE or BETWEEN may stand here.");
        var low = Sum();
        if (!TakeIf("and"))
            throw Fail("BETWEEN needs two bounds: `x BETWEEN 1 AND 5`.");
        var high = Sum();
        Same(left, low, word.Position, "BETWEEN");
        Same(left, high, word.Position, "BETWEEN");
        if (left.Type == SqlType.Boolean)
            throw new SqlExpressionException(word.Position, "BETWEEN compares numbers or texts.");
        return Count(new SqlNode.Between(left, low, high, negated));
    }

    SqlNode.In In(SqlNode left, bool negated, int position)
    {
        Expect("(");
        var values = new List<SqlNode>();
        do
        {
            if (values.Count == MaxValues)
                throw Fail($"IN takes at most {MaxValues} values.");
            if (Next.Is("select") || Next.Is("values") || Next.Is("with"))
                throw Fail("IN takes values written out; subqueries are not allowed.");
            var value = Sum();
            if (value is not (SqlNode.TextLiteral or SqlNode.NumberLiteral or SqlNode.Minus { Inner: SqlNode.NumberLiteral }))
                throw new SqlExpressionException(position, "IN takes texts or numbers written out.");
            Same(left, value, position, "IN");
            values.Add(value);
        }
        while (TakeSymbolIf(","));
        Expect(")");
        return Count(new SqlNode.In(left, values, negated));
    }

    SqlNode.Like Like(SqlNode left, bool negated, int position)
    {
        if (left.Type != SqlType.Text)
            throw new SqlExpressionException(position, $"LIKE compares texts, not a {Word(left.Type)}.");
        if (Next.Kind != SqlTokenKind.Text)
            throw Fail("the pattern of LIKE must be a text in single quotes.");
        var pattern = Take().Value;
        char? escape = null;
        if (TakeIf("escape"))
        {
            if (Next is not { Kind: SqlTokenKind.Text, Value: [(> ' ' and <= '~') and not ('%' or '_')] }
                || char.IsAsciiLetterOrDigit(Next.Value[0]))
                throw Fail("ESCAPE takes one ASCII sign in quotes, such as '\\' or '!'.");
            escape = Take().Value[0];
        }
        if (pattern.Length > SqlFunctions.MaxNeedle || pattern.Count(c => c == '%') > MaxWildcards)
            throw new SqlExpressionException(
                position, $"a LIKE pattern has at most {SqlFunctions.MaxNeedle} characters and {MaxWildcards} of `%`.");
        for (var i = 0; escape is not null && i < pattern.Length; i++)
            if (pattern[i] == escape && (++i == pattern.Length || pattern[i] != escape && pattern[i] is not ('%' or '_')))
                throw new SqlExpressionException(position, "in a LIKE pattern the escape sign stands only before %, _ or itself.");
        Search(position);
        return Count(new SqlNode.Like(left, pattern, escape, negated));
    }

    SqlNode Sum()
    {
        var left = Product();
        while (Next.Kind == SqlTokenKind.Symbol && Next.Value is "+" or "-" or "||")
        {
            var sign = Take();
            var right = Product();
            var type = sign.Value == "||" ? SqlType.Text : SqlType.Number;
            if (left.Type != type || right.Type != type)
                throw new SqlExpressionException(sign.Position, type == SqlType.Text
                    ? "`||` joins texts, not numbers or conditions."
                    : $"`{sign.Value}` needs numbers; texts are joined with `||`.");
            left = Count(new SqlNode.Binary(sign.Value, left, right, type));
            if (left.Growth > SqlFunctions.MaxGrowth)
                throw new SqlExpressionException(
                    sign.Position, $"the text could become more than {SqlFunctions.MaxGrowth} times longer than the span's.");
        }
        return left;
    }

    SqlNode Product()
    {
        var left = Unary();
        while (Next.Kind == SqlTokenKind.Symbol && Next.Value is "*" or "/")
        {
            var sign = Take();
            var right = Unary();
            if (left.Type != SqlType.Number || right.Type != SqlType.Number)
                throw new SqlExpressionException(sign.Position, $"`{sign.Value}` needs numbers.");
            left = Count(new SqlNode.Binary(sign.Value, left, right, SqlType.Number));
        }
        return left;
    }

    SqlNode Unary()
    {
        if (!Next.IsSymbol("-") && !Next.IsSymbol("+"))
            return Primary();
        var sign = Take();
        Enter();
        var inner = Unary();
        Leave();
        if (inner.Type != SqlType.Number)
            throw new SqlExpressionException(sign.Position, $"`{sign.Value}` needs a number.");
        return sign.Value == "-" ? Count(new SqlNode.Minus(inner)) : inner;
    }

    SqlNode Primary()
    {
        var token = Next;
        switch (token.Kind)
        {
            case SqlTokenKind.Text:
                Take();
                return Count(new SqlNode.TextLiteral(token.Value));
            case SqlTokenKind.Number:
                Take();
                return Count(new SqlNode.NumberLiteral(double.Parse(token.Value, CultureInfo.InvariantCulture)));
            case SqlTokenKind.Symbol when token.Value == "(":
                Take();
                Enter();
                var inner = Or();
                Leave();
                Expect(")");
                return inner;
            case SqlTokenKind.Word when token.Is("case"):
                return Case();
            case SqlTokenKind.Word when token.Is("true") || token.Is("false"):
                Take();
                return Count(new SqlNode.BooleanLiteral(token.Is("true")));
            case SqlTokenKind.Word when token.Is("null"):
                throw Fail("NULL stands only after IS or IS NOT.");
            case SqlTokenKind.Word when !Reserved.Contains(token.Value):
                Take();
                return Next.IsSymbol("(") ? Call(token) : Column(token);
            default:
                throw Fail($"{token.Shown} is not expected here: a column, a text, a number, a function, CASE or a bracket should stand "
                    + "here.");
        }
    }

    SqlNode.Column Column(SqlToken token)
    {
        if (SqlColumns.Find(token.Value) is { } column)
            return Count(new SqlNode.Column(column));
        if (Foreign(token) is { Length: > 0 } foreign)
            throw new SqlExpressionException(token.Position, $"{token.Shown} is not allowed.{foreign}");
        if (SqlFunctions.Names.Contains(token.Value, StringComparer.OrdinalIgnoreCase))
            throw new SqlExpressionException(token.Position, $"{token.Shown} is a function: write its values in brackets after it.");
        var names = SqlColumns.All.Select(known => known.Name).ToArray();
        throw new SqlExpressionException(token.Position,
            $"there is no column {token.Shown}.{NearMiss.Hint(token.Value, names)} The columns are {NearMiss.List(names)}.");
    }

    SqlNode Call(SqlToken name)
    {
        Take();
        Enter();
        var arguments = new List<SqlNode>();
        if (!Next.IsSymbol(")"))
            do
            {
                if (Next.Is("select") || Next.Is("distinct") || Next.IsSymbol("*"))
                    throw Fail("a value should stand here; subqueries and aggregates are not allowed.");
                if (arguments.Count == 20)
                    throw Fail("a function takes at most 20 values.");
                arguments.Add(Or());
            }
            while (TakeSymbolIf(","));
        Expect(")");
        Leave();
        var call = Count(SqlFunctions.Call(name.Value, arguments, name.Position));
        if (call is SqlNode.Call { Function: SqlFunction.Instr or SqlFunction.Replace })
            Search(name.Position);
        return call;
    }

    SqlNode.Case Case()
    {
        var position = Take().Position;
        Enter();
        var subject = Next.Is("when") ? null : Or();
        var branches = new List<(SqlNode When, SqlNode Then)>();
        while (TakeIf("when"))
        {
            var when = Or();
            if (!TakeIf("then"))
                throw Fail("THEN should stand here: `CASE WHEN x > 1 THEN … END`.");
            var then = Or();
            if (subject is not null)
                Same(subject, when, position, "CASE");
            else if (when.Type != SqlType.Boolean)
                throw new SqlExpressionException(position, $"WHEN needs a condition, not a {Word(when.Type)}.");
            branches.Add((when, then));
        }
        if (branches.Count == 0)
            throw Fail("CASE needs at least one WHEN … THEN ….");
        var otherwise = TakeIf("else") ? Or() : null;
        if (!TakeIf("end"))
            throw Fail("CASE must be closed with END.");
        Leave();
        foreach (var (_, then) in branches)
            Same(branches[0].Then, then, position, "CASE");
        if (otherwise is not null)
            Same(branches[0].Then, otherwise, position, "CASE");
        return Count(new SqlNode.Case(subject, branches, otherwise, branches[0].Then.Type));
    }

    static void Same(SqlNode left, SqlNode right, int position, string what)
    {
        if (left.Type != right.Type)
            throw new SqlExpressionException(
                position, $"{what} compares a {Word(left.Type)} with a {Word(right.Type)}: both sides must be of one type.");
    }

    static string Word(SqlType type) => type == SqlType.Boolean ? "condition" : type.ToString().ToLowerInvariant();

    static string Foreign(SqlToken token) => token.Kind == SqlTokenKind.Word && token.Value.ToLowerInvariant() is
        "select" or "from" or "where" or "union" or "with" or "insert" or "update" or "delete" or "drop" or "create" or "alter" or "attach"
        or "pragma" or "vacuum" or "cast" or "collate" or "exists" or "glob" or "regexp" or "match" or "similar" or "ilike" or "over"
        or "copy"
        ? " Only conditions over the span's columns are allowed: no statements, subqueries, casts or other operators."
        : "";

    T Count<T>(T node) where T : SqlNode =>
        ++_nodes <= MaxNodes ? node : throw Fail($"the expression has more than {MaxNodes} parts: split it into several metrics.");

    void Search(int position)
    {
        if (++_searches > MaxSearches)
            throw new SqlExpressionException(
                position, $"LIKE, `instr` and `replace` may stand at most {MaxSearches} times: split it into several metrics.");
    }

    void Enter()
    {
        if (++_depth > MaxDepth)
            throw Fail($"the expression is nested deeper than {MaxDepth} levels.");
    }

    void Leave() => _depth--;

    SqlToken Take() => tokens[_at++];

    bool TakeIf(string word)
    {
        var isNext = Next.Is(word);
        _at += isNext ? 1 : 0;
        return isNext;
    }

    bool TakeSymbolIf(string symbol)
    {
        var isNext = Next.IsSymbol(symbol);
        _at += isNext ? 1 : 0;
        return isNext;
    }

    void Expect(string symbol)
    {
        if (!TakeSymbolIf(symbol))
            throw Fail($"`{symbol}` should stand here, not {Next.Shown}.");
    }

    SqlExpressionException Fail(string message) => new(Next.Position, message);
}
