using System.Data.Common;
using Flywheel.Core.Projects;
using Flywheel.Core.Review;

namespace Flywheel.Storage.Review;

/// <summary>Items that people have taken.</summary>
internal sealed partial class ReviewStore
{
    public Task<IReadOnlyList<Reservation>> ReserveAsync(
        ProjectId project, IReadOnlyList<ReviewPair> pairs, string author, DateTimeOffset now, DateTimeOffset until,
        CancellationToken ct) =>
        pairs.Count == 0 ? Task.FromResult<IReadOnlyList<Reservation>>([]) : database.WriteAsync<IReadOnlyList<Reservation>>(
            Urgency.Interactive,
            async session =>
            {
                // In one order for everybody, so that two who take the same items do not wait for each other.
                foreach (var pair in pairs.OrderBy(pair => (pair.Span.Value, pair.Metric.Value)))
                    await session.ExecuteAsync(
                        """
                        INSERT INTO review_reservation (project_id, span_id, metric_id, author, until)
                        VALUES (@project, @span, @metric, @author, @until)
                        ON CONFLICT (project_id, span_id, metric_id) DO UPDATE SET author = excluded.author, until = excluded.until
                        WHERE review_reservation.until <= @now OR review_reservation.author = excluded.author
                        """,
                        ct, ("project", project.Value), ("span", pair.Span.Value), ("metric", pair.Metric.Value), ("author", author),
                        ("until", until), ("now", now)).ConfigureAwait(false);
                var held = (await HeldAsync(session, project, pairs, now, ct).ConfigureAwait(false)).ToDictionary(hold => hold.Pair);
                return [.. pairs.Select(pair => held[pair])];
            },
            ct);

    public Task<bool> ReleaseAsync(ProjectId project, ReviewPair pair, string author, CancellationToken ct) =>
        database.WriteAsync(
            Urgency.Interactive,
            async session => await session.ExecuteAsync(
                """
                DELETE FROM review_reservation
                WHERE project_id = @project AND span_id = @span AND metric_id = @metric AND author = @author
                """,
                ct, ("project", project.Value), ("span", pair.Span.Value), ("metric", pair.Metric.Value), ("author", author))
                .ConfigureAwait(false) > 0,
            ct);

    public Task<IReadOnlyList<Reservation>> ReservationsAsync(
        ProjectId project, IReadOnlyList<ReviewPair> pairs, DateTimeOffset now, CancellationToken ct) =>
        pairs.Count == 0
            ? Task.FromResult<IReadOnlyList<Reservation>>([])
            : database.ReadAsync(session => HeldAsync(session, project, pairs, now, ct), ct);

    static async Task<IReadOnlyList<Reservation>> HeldAsync(
        Session session, ProjectId project, IReadOnlyList<ReviewPair> pairs, DateTimeOffset now, CancellationToken ct)
    {
        var asked = pairs.ToHashSet();
        return [.. (await session.QueryAsync(
            "SELECT span_id, metric_id, author, until FROM review_reservation WHERE project_id = @project AND span_id IN (@spans) AND "
                + "until > @now",
            Held, ct, ("project", project.Value), ("spans", pairs.Select(pair => pair.Span.Value).Distinct().ToArray()), ("now", now))
            .ConfigureAwait(false)).Where(hold => asked.Contains(hold.Pair))];
    }

    static Reservation Held(DbDataReader row) => new(new(new(row.GetInt64(0)), new(row.GetInt64(1))), row.GetString(2), row.Moment(3));
}
