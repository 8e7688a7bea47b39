using System.Globalization;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;

namespace Flywheel.Storage.Traces;

/// <summary>One page of traces: their first spans by keyset, then what belongs to those few.</summary>
internal static class TraceList
{
    /// <summary>Characters of input and output in a list; the trace itself has all of them.</summary>
    const int PreviewLength = 2_000;

    public static async Task<Page<TraceSummary>> ReadAsync(Session session, ProjectId project, TraceFilter filter, CancellationToken ct)
    {
        var before = Cursor(filter.Cursor);
        var firsts = await session.QueryAsync(
            """
            SELECT span.id, span.trace_id
            FROM span
            WHERE span.project_id = @project AND span.id < @before
                AND NOT EXISTS (
                    SELECT 1 FROM span AS earlier
                    WHERE earlier.project_id = @project AND earlier.trace_id = span.trace_id AND earlier.id < span.id)
                AND (CAST(@node AS TEXT) IS NULL OR EXISTS (
                    SELECT 1 FROM span AS other
                    WHERE other.project_id = @project AND other.trace_id = span.trace_id AND other.node = @node))
                AND (CAST(@session AS TEXT) IS NULL OR EXISTS (
                    SELECT 1 FROM span AS other
                    WHERE other.project_id = @project AND other.trace_id = span.trace_id AND other.session = @session))
                AND (CAST(@user AS TEXT) IS NULL OR EXISTS (
                    SELECT 1 FROM span AS other
                    WHERE other.project_id = @project AND other.trace_id = span.trace_id AND other.end_user = @user))
            ORDER BY span.id DESC
            LIMIT @limit
            """,
            row => (Id: row.GetInt64(0), Trace: row.GetString(1)), ct,
            ("project", project.Value), ("before", before), ("node", filter.Node), ("session", filter.Session),
            ("user", filter.EndUser), ("limit", filter.Limit + 1)).ConfigureAwait(false);

        var more = firsts.Count > filter.Limit;
        if (more)
            firsts.RemoveAt(firsts.Count - 1);
        if (firsts.Count == 0)
            return new([], null);

        var traces = firsts.Select(first => first.Trace).ToArray();
        var spans = (await session.QueryAsync(
            """
            SELECT trace_id, parent_id, started_at, duration_ms, error, session, end_user, substr(input, 1, @preview),
                substr(output, 1, @preview)
            FROM span
            WHERE project_id = @project AND trace_id IN (@traces)
            ORDER BY started_at, id
            """,
            row => new Part(
                row.GetString(0), row.IsDBNull(1), row.Moment(2), row.GetDouble(3), !row.IsDBNull(4), row.TextOrNull(5),
                row.TextOrNull(6), row.TextOrNull(7), row.TextOrNull(8)),
            ct, ("project", project.Value), ("traces", traces), ("preview", PreviewLength)).ConfigureAwait(false))
            .ToLookup(part => part.Trace);
        var verdicts = (await session.QueryAsync(
            """
            SELECT span.trace_id, verdict.outcome, count(*)
            FROM span
            JOIN current_verdict AS verdict ON verdict.project_id = span.project_id AND verdict.span_id = span.id
            WHERE span.project_id = @project AND span.trace_id IN (@traces) AND verdict.outcome IN ('pass', 'fail')
            GROUP BY span.trace_id, verdict.outcome
            """,
            row => (Trace: row.GetString(0), Outcome: row.Word<Outcome>(1), Count: row.GetInt32(2)),
            ct, ("project", project.Value), ("traces", traces)).ConfigureAwait(false))
            .ToDictionary(count => (count.Trace, count.Outcome), count => count.Count);

        return new(
            traces.Select(trace => Summary(
                trace, [.. spans[trace]], verdicts.GetValueOrDefault((trace, Outcome.Pass)),
                verdicts.GetValueOrDefault((trace, Outcome.Fail)))).ToArray(),
            more ? firsts[^1].Id.ToString(CultureInfo.InvariantCulture) : null);
    }

    static long Cursor(string? cursor) =>
        cursor is null ? long.MaxValue
        : long.TryParse(cursor, NumberStyles.None, CultureInfo.InvariantCulture, out var before) ? before
        : throw new ArgumentException($"'{cursor}' is no cursor of this list: start without one.", nameof(cursor));

    /// <param name="parts">By start; the first root stands for the trace, or the first span when its root has not come.</param>
    static TraceSummary Summary(string trace, IReadOnlyList<Part> parts, int passes, int fails)
    {
        var root = parts.FirstOrDefault(part => part.IsRoot) ?? parts[0];
        var start = parts[0].StartedAt;
        var end = parts.Max(part => part.StartedAt.AddMilliseconds(part.DurationMs));
        return new(
            trace, start, (end - start).TotalMilliseconds, parts.Count, parts.Count(part => part.Failed),
            root.Session ?? parts.FirstOrDefault(part => part.Session is not null)?.Session,
            root.EndUser ?? parts.FirstOrDefault(part => part.EndUser is not null)?.EndUser,
            root.Input, root.Output, passes, fails);
    }

    sealed record Part(
        string Trace, bool IsRoot, DateTimeOffset StartedAt, double DurationMs, bool Failed, string? Session, string? EndUser,
        string? Input, string? Output);
}
