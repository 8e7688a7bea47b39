namespace Flywheel.Engine.Metrics.Sql;

enum SqlTokenKind
{
    /// <summary>A column, function or keyword.</summary>
    Word,
    Text,
    Number,
    Symbol,
    End,
}

/// <param name="Value">A word as written, a text without its quotes, a number's digits, or the symbol.</param>
/// <param name="Position">From 1.</param>
readonly record struct SqlToken(SqlTokenKind Kind, string Value, int Position)
{
    public bool Is(string word) => Kind == SqlTokenKind.Word && Value.Equals(word, StringComparison.OrdinalIgnoreCase);

    public bool IsSymbol(string symbol) => Kind == SqlTokenKind.Symbol && Value == symbol;

    public string Shown => Kind switch
    {
        SqlTokenKind.End => "the end",
        SqlTokenKind.Text => "a text",
        _ => $"`{(Value.Length <= 40 ? Value : Value[..40] + "…")}`",
    };
}
