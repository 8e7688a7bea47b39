using System.Data.Common;
using Flywheel.Core.Labeling;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;

namespace Flywheel.Storage.Labeling;

internal sealed class FeedbackStore(Database database) : IFeedbackStore
{
    const string Columns = "id, project_id, trace_id, span_id, name, value, comment, end_user, created_at, session";

    public Task<InsertResult> AddAsync(Feedback feedback, CancellationToken ct) =>
        database.WriteAsync(
            Urgency.Interactive,
            async session =>
            {
                var added = await session.ExecuteAsync(
                    """
                    INSERT INTO feedback (project_id, id, trace_id, span_id, name, value, comment, end_user, created_at, session)
                    VALUES (@project, @id, @trace, @span, @name, @value, @comment, @user, @at, @session)
                    ON CONFLICT (project_id, id) DO NOTHING
                    """,
                    ct,
                    ("project", feedback.Project.Value), ("id", feedback.Id), ("trace", feedback.TraceId), ("span", feedback.SpanId),
                    ("name", feedback.Name), ("value", feedback.Value), ("comment", feedback.Comment), ("user", feedback.EndUser),
                    ("at", feedback.CreatedAt), ("session", feedback.Session)).ConfigureAwait(false);
                if (added > 0)
                    return InsertResult.Stored;
                var stored = (await session.FirstAsync(
                    $"SELECT {Columns} FROM feedback WHERE project_id = @project AND id = @id",
                    Read, ct, ("project", feedback.Project.Value), ("id", feedback.Id)).ConfigureAwait(false))!;
                // A repeat may come with its own clock, and when its session has a newer trace.
                var same = feedback with { CreatedAt = stored.CreatedAt,
                    TraceId = feedback.Session is null ? feedback.TraceId : stored.TraceId };
                return stored == same ? InsertResult.Repeated : InsertResult.Conflicting;
            },
            ct);

    public async Task<IReadOnlyList<Feedback>> ListAsync(ProjectId project, FeedbackFilter filter, CancellationToken ct) =>
        await database.QueryAsync(
            $"""
            SELECT {Columns}
            FROM feedback
            WHERE project_id = @project AND (CAST(@name AS TEXT) IS NULL OR name = @name)
                AND (CAST(@trace AS TEXT) IS NULL OR trace_id = @trace) AND (CAST(@session AS TEXT) IS NULL OR session = @session)
            ORDER BY created_at DESC, id DESC
            LIMIT @limit
            """,
            Read, ct, ("project", project.Value), ("name", filter.Name), ("trace", filter.TraceId), ("session", filter.Session),
            ("limit", filter.Limit)).ConfigureAwait(false);

    public async Task<SpanKey?> FindAnswerAsync(ProjectId project, string responseId, CancellationToken ct) =>
        (await database.QueryAsync(
            "SELECT trace_id, span_id FROM span WHERE project_id = @project AND response_id = @response ORDER BY id DESC LIMIT 1",
            row => (SpanKey?)new SpanKey(row.GetString(0), row.GetString(1)), ct, ("project", project.Value), ("response", responseId))
            .ConfigureAwait(false)).FirstOrDefault();

    public Task<string?> NewestTraceAsync(ProjectId project, string session, CancellationToken ct) =>
        database.FirstAsync(
            "SELECT trace_id FROM span WHERE project_id = @project AND session = @session ORDER BY id DESC LIMIT 1",
            row => row.GetString(0), ct, ("project", project.Value), ("session", session));

    public async Task<IReadOnlyList<Feedback>> OfTraceAsync(ProjectId project, string traceId, CancellationToken ct) =>
        await database.QueryAsync(
            $"""
            SELECT {Columns}
            FROM feedback
            WHERE project_id = @project AND trace_id = @trace
            ORDER BY created_at, id
            """,
            Read, ct, ("project", project.Value), ("trace", traceId)).ConfigureAwait(false);

    static Feedback Read(DbDataReader row) => new(
        row.Id(0), new(row.GetInt64(1)), row.GetString(2), row.TextOrNull(3), row.GetString(4), row.GetString(5), row.TextOrNull(6),
        row.TextOrNull(7), row.Moment(8)) { Session = row.TextOrNull(9) };
}
