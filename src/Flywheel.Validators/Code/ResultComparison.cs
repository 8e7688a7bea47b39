using System.Globalization;
using System.Text.Json;
using Flywheel.Core;

namespace Flywheel.Validators.Code;

/// <summary>Whether two results are the same: as multisets of rows, or in order.</summary>
/// <remarks>
/// Columns count by their place, not by name. A number equals a number within a relative tolerance, whatever its type; a text never
/// equals a number. This is execution match: two statements that differ may agree on the data at hand by chance.
/// </remarks>
static class ResultComparison
{
    /// <summary>Above so many rows left over from exact matching, tolerance is not tried on every pair.</summary>
    const int MaxPairs = 2_000;

    /// <returns>How they differ, in words; null when they are the same.</returns>
    public static string? Difference(
        IReadOnlyList<JsonElement[]> found, IReadOnlyList<JsonElement[]> wanted, bool inOrder, double tolerance)
    {
        if (found.Count != wanted.Count)
            return $"{Rows(found.Count)} instead of {wanted.Count}";
        if (found.Count > 0 && found[0].Length != wanted[0].Length)
            return $"{Columns(found[0].Length)} instead of {wanted[0].Length}";
        if (inOrder)
            for (var i = 0; i < found.Count; i++)
                if (!Same(found[i], wanted[i], tolerance))
                    return LeftOver(found, wanted, tolerance).Count == 0
                        ? "the same rows in another order"
                        : $"row {i + 1} is {Show(found[i])} instead of {Show(wanted[i])}";
        if (!inOrder && LeftOver(found, wanted, tolerance) is { Count: > 0 } extra)
            return $"{Rows(extra.Count)} that the reference does not have, such as {Show(extra[0])}";
        return null;
    }

    /// <summary>Rows of one result without a partner in the other.</summary>
    static List<JsonElement[]> LeftOver(IReadOnlyList<JsonElement[]> found, IReadOnlyList<JsonElement[]> wanted, double tolerance)
    {
        var partners = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var row in wanted)
            partners[Key(row)] = partners.GetValueOrDefault(Key(row)) + 1;
        var alone = new List<JsonElement[]>();
        foreach (var row in found)
            if (partners.TryGetValue(Key(row), out var count) && count > 0)
                partners[Key(row)] = count - 1;
            else
                alone.Add(row);
        if (alone.Count is 0 or > MaxPairs || tolerance == 0)
            return alone;
        var free = new List<JsonElement[]>();
        foreach (var row in wanted)
            if (partners[Key(row)]-- > 0)
                free.Add(row);
        return alone.FindAll(row =>
        {
            var at = free.FindIndex(other => Same(row, other, tolerance));
            if (at >= 0)
                free.RemoveAt(at);
            return at < 0;
        });
    }

    static bool Same(JsonElement[] one, JsonElement[] other, double tolerance)
    {
        if (one.Length != other.Length)
            return false;
        for (var i = 0; i < one.Length; i++)
            if (!Same(one[i], other[i], tolerance))
                return false;
        return true;
    }

    static bool Same(JsonElement one, JsonElement other, double tolerance)
    {
        if (Key(one) == Key(other))
            return true;
        if (one.ValueKind != JsonValueKind.Number || other.ValueKind != JsonValueKind.Number)
            return false;
        if (one.TryGetInt64(out _) && other.TryGetInt64(out _))
            return false;
        double a = one.GetDouble(), b = other.GetDouble();
        return Math.Abs(a - b) <= tolerance * Math.Max(1, Math.Max(Math.Abs(a), Math.Abs(b)));
    }

    static string Key(JsonElement[] row) => string.Join('\u001f', row.Select(Key));

    static string Key(JsonElement cell) => cell.ValueKind switch
    {
        JsonValueKind.Number => "n" + (cell.TryGetInt64(out var whole)
            ? whole.ToString(CultureInfo.InvariantCulture)
            : Plain(cell.GetDouble())),
        JsonValueKind.String => "t" + cell.GetString(),
        JsonValueKind.Object when cell.TryGetProperty("x", out var hex) && hex.ValueKind == JsonValueKind.String => "x" + hex.GetString(),
        _ => cell.GetRawText(),
    };

    /// <summary>2.0 is 2.</summary>
    static string Plain(double value) => Math.Floor(value) == value && Math.Abs(value) < 1e15
        ? ((long)value).ToString(CultureInfo.InvariantCulture)
        : value.ToString("R", CultureInfo.InvariantCulture);

    public static string Show(JsonElement[] row) =>
        Quote.Short("(" + string.Join(", ", row.Select(cell => cell.GetRawText())) + ")", 100).Trim('"');

    public static string Rows(int count) => count == 1 ? "1 row" : $"{count.ToString("N0", CultureInfo.InvariantCulture)} rows";

    static string Columns(int count) => count == 1 ? "1 column" : $"{count} columns";
}
