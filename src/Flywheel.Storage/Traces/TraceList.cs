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

    /// <summary>
    /// First spans of their traces. Scalar sub-selects, because a planner turns EXISTS into a join over all spans, where a page
    /// needs a few look-ups along the index; the plus and the empty text keep other indexes from being taken for that one.
    /// </summary>
    const string Firsts =
        """
        SELECT span.id, span.trace_id
        FROM span
        WHERE span.project_id = @project AND span.id < @before
            AND (
                SELECT count(*) FROM span AS same
                WHERE same.project_id = @project AND same.trace_id = span.trace_id AND +same.id < span.id) = 0
        """;

    const string HasNode =
        """
         AND (
            SELECT count(*) FROM span AS same
            WHERE same.project_id = @project AND same.trace_id = span.trace_id AND same.node || '' = @node) > 0
        """;

    const string HasSession =
        """
         AND (
            SELECT count(*) FROM span AS same
            WHERE same.project_id = @project AND same.trace_id = span.trace_id AND same.session = @session) > 0
        """;

    const string HasEndUser =
        """
         AND (
            SELECT count(*) FROM span AS same
            WHERE same.project_id = @project AND same.trace_id = span.trace_id AND same.end_user = @user) > 0
        """;

    const string Newest = " ORDER BY span.id DESC LIMIT @limit";

    public static async Task<Page<TraceSummary>> ReadAsync(Session session, ProjectId project, TraceFilter filter, CancellationToken ct)
    {
        List<(string, object?)> values =
            [("project", project.Value), ("before", Cursor(filter.Cursor)), ("limit", filter.Limit + 1)];
        if (filter.Node is { } node)
            values.Add(("node", node));
        if (filter.Session is { } conversation)
            values.Add(("session", conversation));
        if (filter.EndUser is { } user)
            values.Add(("user", user));
        var firsts = await session.QueryAsync(
            Firsts
                + (filter.Node is null ? "" : HasNode)
                + (filter.Session is null ? "" : HasSession)
                + (filter.EndUser is null ? "" : HasEndUser)
                + Newest,
            row => (Id: row.GetInt64(0), Trace: row.GetString(1)), ct,
            [.. values]).ConfigureAwait(false);

        var more = firsts.Count > filter.Limit;
        if (more)
            firsts.RemoveAt(firsts.Count - 1);
        if (firsts.Count == 0)
            return new([], null);

        var traces = firsts.Select(first => first.Trace).ToArray();
        var parts = await session.QueryAsync(
            """
            SELECT id, trace_id, parent_id, started_at, duration_ms, error, session, end_user, substr(input, 1, @preview),
                substr(output, 1, @preview)
            FROM span
            WHERE project_id = @project AND trace_id IN (@traces)
            ORDER BY started_at, id
            """,
            row => new Part(
                row.GetInt64(0), row.GetString(1), row.IsDBNull(2), row.Moment(3), row.GetDouble(4), !row.IsDBNull(5), row.TextOrNull(6),
                row.TextOrNull(7), row.TextOrNull(8), row.TextOrNull(9)),
            ct, ("project", project.Value), ("traces", traces), ("preview", PreviewLength)).ConfigureAwait(false);
        var traceOf = parts.ToDictionary(part => part.Id, part => part.Trace);
        var verdicts = (await session.QueryAsync(
            """
            SELECT span_id, outcome
            FROM current_verdict
            WHERE project_id = @project AND span_id IN (@spans) AND outcome IN ('pass', 'fail')
            """,
            row => (Trace: traceOf[row.GetInt64(0)], Outcome: row.Word<Outcome>(1)),
            ct, ("project", project.Value), ("spans", traceOf.Keys.ToArray())).ConfigureAwait(false))
            .CountBy(verdict => verdict)
            .ToDictionary();
        var spans = parts.ToLookup(part => part.Trace);

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
        long Id, string Trace, bool IsRoot, DateTimeOffset StartedAt, double DurationMs, bool Failed, string? Session, string? EndUser,
        string? Input, string? Output);
}
