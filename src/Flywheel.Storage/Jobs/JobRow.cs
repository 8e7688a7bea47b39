using System.Data.Common;
using Flywheel.Core.Jobs;
using Flywheel.Core.Traces;

namespace Flywheel.Storage.Jobs;

/// <summary>A job, and a span that waits for its jobs, as rows.</summary>
internal static class JobRow
{
    public const string Columns =
        "id, project_id, span_id, metric_version_id, lane, state, attempts, fence, visible_at, reason, revision";

    public static Job Read(DbDataReader row) => new(
        row.GetInt64(0), new(row.GetInt64(1)), new(row.GetInt64(2)), new(row.GetInt64(3)), row.Word<JobLane>(4),
        row.Word<JobState>(5), row.GetInt32(6), row.GetInt64(7), row.Moment(8), row.TextOrNull(9)) { Revision = row.GetInt32(10) };

    /// <summary>Columns project_id, id, trace_id, span_id, node, kind, started_at, revision.</summary>
    public static PendingSpan ReadPending(DbDataReader row) => new(
        new(row.GetInt64(0)), new(row.GetInt64(1)), new(row.GetString(2), row.GetString(3)), row.GetString(4),
        row.Word<NodeKind>(5), row.Moment(6)) { Revision = row.GetInt32(7) };
}
