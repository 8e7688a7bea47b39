using System.Data.Common;
using System.Runtime.InteropServices;
using Flywheel.Core.Retrieval;

namespace Flywheel.Storage.Retrieval;

/// <summary>A demonstration as a row, and its vector.</summary>
internal static class DemonstrationRow
{
    public const string Columns =
        "demonstration.id, demonstration.project_id, demonstration.purpose, demonstration.target, demonstration.input, "
        + "demonstration.output, demonstration.rejected_output, demonstration.reason, demonstration.disagreement, "
        + "demonstration.end_user, demonstration.span_id, demonstration.state, demonstration.author, demonstration.created_at, "
        + "demonstration.approved_at, demonstration.approved_by, demonstration.recalled_at, demonstration.recalled_by, "
        + "coalesce(demonstration.source_correction, demonstration.source_label)";

    /// <summary>How many columns <see cref="Columns"/> are.</summary>
    public const int Width = 19;

    public static Demonstration Read(DbDataReader row) => new(
        row.Id(0), new(row.GetInt64(1)), row.Word<DemonstrationPurpose>(2), row.GetString(3), row.GetString(4), row.GetString(5),
        row.TextOrNull(6), row.TextOrNull(7), row.GetDouble(8), row.TextOrNull(9), row.IsDBNull(10) ? null : row.GetInt64(10),
        row.Word<DemonstrationState>(11), row.GetString(12), row.Moment(13), row.MomentOrNull(14), row.TextOrNull(15),
        row.MomentOrNull(16), row.TextOrNull(17))
    {
        Source = row.IsDBNull(18) ? null : row.Id(18),
    };

    /// <summary>Columns fingerprint, scale and vector from the one given on.</summary>
    public static StoredVector? ReadVector(DbDataReader row, int column) =>
        row.IsDBNull(column)
            ? null
            : new(row.GetString(column), (float)row.GetDouble(column + 1),
                MemoryMarshal.Cast<byte, sbyte>(row.GetFieldValue<byte[]>(column + 2)).ToArray());
}
