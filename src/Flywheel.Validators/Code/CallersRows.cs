using System.Text;
using System.Text.Json;
using Flywheel.Core.Sandboxing;

namespace Flywheel.Validators.Code;

/// <summary>The statement as it would run if the database held nothing but the caller's rows.</summary>
/// <remarks>
/// Tables with the owner column are cut to the caller's rows, tables that refer to those by foreign keys follow. Every such table that
/// the statement names is hidden by a common table expression of the same name. A statement whose result stays the same touches nobody
/// else's rows, as far as these data can tell.
/// </remarks>
sealed class CallersRows
{
    readonly List<(SqlTable Table, string Condition)> _owned = [];
    readonly HashSet<string> _opaque;
    readonly HashSet<string> _schemas;

    /// <param name="column">Whose rows they are: <c>customer_id</c>.</param>
    public CallersRows(IReadOnlyList<SqlTable> tables, string column)
    {
        foreach (var table in tables)
            if (table.Columns.FirstOrDefault(each => Same(each, column)) is { } own)
                _owned.Add((table, $"{Name(own)} = "));
        bool grew;
        do
        {
            grew = false;
            foreach (var table in tables)
                if (!_owned.Exists(each => each.Table == table)
                    && table.Links.FirstOrDefault(
                        link => !Same(link.Table, table.Name) && _owned.Exists(each => Same(each.Table.Name, link.Table))) is { } link)
                {
                    _owned.Add((table, $"{Name(link.Column)} IN (SELECT {Name(link.TargetColumn)} FROM {Name(link.Table)})"));
                    grew = true;
                }
        }
        while (grew);
        _opaque = tables.Where(table => table.IsView && !_owned.Exists(each => each.Table == table)).Select(table => table.Name)
            .ToHashSet(StringComparer.OrdinalIgnoreCase);
        _schemas = tables.Select(table => table.Schema).ToHashSet(StringComparer.OrdinalIgnoreCase);
    }

    /// <summary>A view that the statement names and that does not show whose rows it reads; null when there is none.</summary>
    public string? Opaque(SqlText text) =>
        text.Pieces.Where(piece => piece.IsName && _opaque.Contains(piece.Value)).Select(piece => piece.Value).FirstOrDefault();

    /// <returns>Null when the statement names no table with owners.</returns>
    public string? Restricted(SqlText text, JsonElement caller)
    {
        var named = text.Pieces.Where(piece => piece.IsName).Select(piece => piece.Value).ToHashSet(StringComparer.OrdinalIgnoreCase);
        if (!_owned.Exists(each => named.Contains(each.Table.Name)))
            return null;
        var hidden = _owned.Select(each =>
            $"{Name(each.Table.Name)} AS (SELECT * FROM {Name(each.Table.Schema)}.{Name(each.Table.Name)} WHERE "
                + $"{each.Condition}{(each.Condition.EndsWith("= ", StringComparison.Ordinal) ? Literal(caller) : "")})");
        return $"WITH {string.Join(",\n", hidden)}\nSELECT * FROM (\n{Unqualified(text)}\n) AS callers_rows";
    }

    /// <summary>Without schema names, which would look past what hides the tables.</summary>
    string Unqualified(SqlText text)
    {
        var statement = text.Statement;
        var offset = text.Pieces[0].Start;
        var plain = new StringBuilder();
        var at = 0;
        for (var i = 0; i + 2 < text.Pieces.Count; i++)
            if (text.Pieces[i].IsName && _schemas.Contains(text.Pieces[i].Value) && text.Pieces[i + 1].IsSign('.')
                && _owned.Exists(each => Same(each.Table.Name, text.Pieces[i + 2].Value)))
            {
                plain.Append(statement, at, text.Pieces[i].Start - offset - at);
                at = text.Pieces[i + 2].Start - offset;
            }
        return plain.Append(statement, at, statement.Length - at).ToString();
    }

    static string Literal(JsonElement caller) => caller.ValueKind == JsonValueKind.Number
        ? caller.GetRawText()
        : "'" + (caller.ValueKind == JsonValueKind.String ? caller.GetString()! : caller.GetRawText())
        .Replace("'", "''", StringComparison.Ordinal) + "'";

    static string Name(string name) => "\"" + name.Replace("\"", "\"\"", StringComparison.Ordinal) + "\"";

    static bool Same(string one, string other) => one.Equals(other, StringComparison.OrdinalIgnoreCase);
}
