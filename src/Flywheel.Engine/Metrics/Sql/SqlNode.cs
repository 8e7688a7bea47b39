namespace Flywheel.Engine.Metrics.Sql;

/// <summary>A checked part of an expression.</summary>
/// <param name="Growth">
/// Upper bound of a text's length as a multiple of the longest column, so that no expression can blow a text up;
/// 0 for literals and everything that is no text.
/// </param>
abstract record SqlNode(SqlType Type, double Growth = 0)
{
    public sealed record Column(SqlColumn Of) : SqlNode(Of.Type, Of.Type == SqlType.Text ? 1 : 0);

    public sealed record TextLiteral(string Value) : SqlNode(SqlType.Text);

    public sealed record NumberLiteral(double Value) : SqlNode(SqlType.Number);

    public sealed record BooleanLiteral(bool Value) : SqlNode(SqlType.Boolean);

    public sealed record Not(SqlNode Inner) : SqlNode(SqlType.Boolean);

    public sealed record Minus(SqlNode Inner) : SqlNode(SqlType.Number);

    /// <param name="Operator"><c>AND</c>, <c>OR</c>, a comparison, an arithmetic sign or <c>||</c>.</param>
    public sealed record Binary(string Operator, SqlNode Left, SqlNode Right, SqlType Result)
        : SqlNode(Result, Result == SqlType.Text ? Left.Growth + Right.Growth : 0);

    public sealed record IsNull(SqlNode Inner, bool Negated) : SqlNode(SqlType.Boolean);

    public sealed record In(SqlNode Inner, IReadOnlyList<SqlNode> Values, bool Negated) : SqlNode(SqlType.Boolean);

    public sealed record Between(SqlNode Inner, SqlNode Low, SqlNode High, bool Negated) : SqlNode(SqlType.Boolean);

    public sealed record Like(SqlNode Inner, string Pattern, char? Escape, bool Negated) : SqlNode(SqlType.Boolean);

    /// <param name="Subject">Null for the form with conditions.</param>
    public sealed record Case(SqlNode? Subject, IReadOnlyList<(SqlNode When, SqlNode Then)> Branches, SqlNode? Else, SqlType Result)
        : SqlNode(Result, Math.Max(Branches.Max(branch => branch.Then.Growth), Else?.Growth ?? 0));

    public sealed record Call(SqlFunction Function, IReadOnlyList<SqlNode> Arguments, SqlType Result, double ResultGrowth)
        : SqlNode(Result, ResultGrowth);
}

enum SqlFunction
{
    Length,
    Lower,
    Upper,
    Trim,
    Abs,
    Round,
    Coalesce,
    Instr,
    Substr,
    Replace,
}
