using Flywheel.Core.Sandboxing;

namespace Flywheel.Validators.Code;

/// <summary>A subquery that groups or sorts by a column of the query around it: one value for all its rows, so always a slip.</summary>
/// <remarks>
/// Older SQLite refuses it ("no such column"), newer and PostgreSQL let it pass in silence. Only plain names over plain tables are judged:
/// whatever this does not understand it leaves to the database.
/// </remarks>
static class StrayGrouping
{
    static readonly string[] Ends = ["having", "order", "limit", "window", "union", "intersect", "except", "offset", "fetch"];
    static readonly HashSet<string> Everywhere = new(
        StringComparer.OrdinalIgnoreCase) { "rowid", "oid", "_rowid_", "null", "true", "false", "current_date", "current_timestamp" };

    /// <returns>What is wrong; null when nothing is found.</returns>
    public static string? In(SqlText text, IReadOnlyList<SqlTable> tables)
    {
        var pieces = text.Pieces;
        for (var i = 0; i + 1 < pieces.Count; i++)
        {
            if (!pieces[i].IsSign('(') || !pieces[i + 1].Is("select"))
                continue;
            var depth = pieces[i].Depth + 1;
            var inside = pieces.Skip(i + 1).TakeWhile(piece => piece.Depth >= depth).Where(piece => piece.Depth == depth).ToList();
            if (Stray(inside, tables) is { } name)
                return $"no such column in the subquery that groups by it: {name}";
        }
        return null;
    }

    static string? Stray(List<SqlPiece> query, IReadOnlyList<SqlTable> tables)
    {
        var from = query.FindIndex(piece => piece.Is("from"));
        var group = query.FindIndex(piece => piece.Is("group"));
        if (from < 0 || group < from || query.Exists(piece => piece.Is("union") || piece.Is("intersect") || piece.Is("except")))
            return null;
        if (Columns(query[from..group], tables) is not { } columns)
            return null;
        var list = query[..from];
        var end = query.FindIndex(group, piece => Array.Exists(Ends, piece.Is));
        var keys = query[(group + 2)..(end < 0 ? query.Count : end)];
        for (var i = 0; i < keys.Count; i++)
        {
            var isAlone = (i == 0 || keys[i - 1].IsSign(',')) && (i + 1 == keys.Count || keys[i + 1].IsSign(','));
            if (isAlone && keys[i].Part == SqlPart.Word && !columns.Contains(keys[i].Value) && !Everywhere.Contains(keys[i].Value)
                && !IsAlias(list, keys[i].Value))
                return keys[i].Value;
        }
        return null;
    }

    /// <returns>Null when something there is no table of the schema.</returns>
    static HashSet<string>? Columns(List<SqlPiece> from, IReadOnlyList<SqlTable> tables)
    {
        var columns = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        for (var i = 0; i < from.Count; i++)
        {
            if (!from[i].Is("from") && !from[i].Is("join") && !from[i].IsSign(','))
                continue;
            var at = i + 1;
            if (at + 2 < from.Count && from[at + 1].IsSign('.'))
                at += 2;
            if (at >= from.Count || !from[at].IsName)
                return null;
            var name = from[at].Value;
            var table = tables.FirstOrDefault(each => each.Name.Equals(name, StringComparison.OrdinalIgnoreCase));
            if (table is null)
                return null;
            columns.UnionWith(table.Columns);
        }
        return columns;
    }

    static bool IsAlias(List<SqlPiece> list, string name) => Enumerable.Range(1, Math.Max(0, list.Count - 1)).Any(i =>
        list[i].IsName && list[i].Value.Equals(name, StringComparison.OrdinalIgnoreCase)
        && !list[i - 1].IsSign(',') && !list[i - 1].IsSign('.') && !list[i - 1].Is("select") && !list[i - 1].Is("distinct")
        && !list[i - 1].Is("all"));
}
