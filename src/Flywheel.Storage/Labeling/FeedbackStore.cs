using System.Data.Common;
using Flywheel.Core.Labeling;
using Flywheel.Core.Projects;

namespace Flywheel.Storage.Labeling;

internal sealed class FeedbackStore(Database database) : IFeedbackStore
{
    const string Columns = "id, project_id, trace_id, span_id, name, value, comment, end_user, created_at";

    public Task<Added> AddAsync(Feedback feedback, CancellationToken ct) =>
        database.WriteAsync(
            Urgency.Interactive,
            async session =>
            {
                var added = await session.ExecuteAsync(
                    """
                    INSERT INTO feedback (project_id, id, trace_id, span_id, name, value, comment, end_user, created_at)
                    VALUES (@project, @id, @trace, @span, @name, @value, @comment, @user, @at)
                    ON CONFLICT (project_id, id) DO NOTHING
                    """,
                    ct,
                    ("project", feedback.Project.Value), ("id", feedback.Id), ("trace", feedback.TraceId), ("span", feedback.SpanId),
                    ("name", feedback.Name), ("value", feedback.Value), ("comment", feedback.Comment), ("user", feedback.EndUser),
                    ("at", feedback.CreatedAt)).ConfigureAwait(false);
                if (added > 0)
                    return Added.Stored;
                var stored = (await session.FirstAsync(
                    $"SELECT {Columns} FROM feedback WHERE project_id = @project AND id = @id",
                    Read, ct, ("project", feedback.Project.Value), ("id", feedback.Id)).ConfigureAwait(false))!;
                return stored == feedback with { CreatedAt = stored.CreatedAt } ? Added.Repeated : Added.Conflicting;
            },
            ct);

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
        row.TextOrNull(7), row.Moment(8));
}
