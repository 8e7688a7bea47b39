using System.Data.Common;
using System.Text.Json;
using Flywheel.Core.Metrics;

namespace Flywheel.Storage;

/// <summary>Reads columns in the forms that the domain uses.</summary>
internal static class Rows
{
    public static string? TextOrNull(this DbDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);

    public static int? IntOrNull(this DbDataReader row, int column) => row.IsDBNull(column) ? null : row.GetInt32(column);

    public static double? DoubleOrNull(this DbDataReader row, int column) => row.IsDBNull(column) ? null : row.GetDouble(column);

    public static DateTimeOffset Moment(this DbDataReader row, int column) => Timestamps.At(row.GetInt64(column));

    public static DateTimeOffset? MomentOrNull(this DbDataReader row, int column) =>
        row.IsDBNull(column) ? null : Timestamps.At(row.GetInt64(column));

    public static Guid Id(this DbDataReader row, int column) => Guid.Parse(row.GetString(column));

    public static bool YesNo(this DbDataReader row, int column) => row.GetInt64(column) == 1;

    public static T Word<T>(this DbDataReader row, int column) where T : struct, Enum =>
        Wire.Parse<T>(row.GetString(column))
        ?? throw new StoreException($"The database holds {typeof(T).Name} '{row.GetString(column)}', which this program does not know.");

    /// <summary>A JSON array of ids; empty for null, and for what an outside writer put there that is none.</summary>
    public static IReadOnlyList<Guid> Ids(this DbDataReader row, int column)
    {
        if (row.IsDBNull(column))
            return [];
        using var json = JsonDocument.Parse(row.GetString(column));
        if (json.RootElement.ValueKind != JsonValueKind.Array)
            return [];
        var ids = new List<Guid>(json.RootElement.GetArrayLength());
        foreach (var item in json.RootElement.EnumerateArray())
            if (item.ValueKind == JsonValueKind.String && item.TryGetGuid(out var id))
                ids.Add(id);
        return ids;
    }

    /// <summary>The stored form of a list of ids: null when empty.</summary>
    public static string? Json(IReadOnlyList<Guid>? ids) =>
        ids is null or { Count: 0 } ? null : "[\"" + string.Join("\",\"", ids.Select(id => id.ToString("D"))) + "\"]";
}
