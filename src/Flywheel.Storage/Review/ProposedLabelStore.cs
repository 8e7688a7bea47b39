using System.Data.Common;
using System.Text.Json;
using Flywheel.Core.Labeling;
using Flywheel.Core.Projects;
using Flywheel.Core.Review;
using Flywheel.Core.Traces;
using Flywheel.Storage.Projects;

namespace Flywheel.Storage.Review;

internal sealed class ProposedLabelStore(Database database) : IProposedLabelStore
{
    const string Columns = "project_id, span_id, metric_id, author, passed, critique, confidence, created_at";

    /// <summary>Below what the planner picks of its own: a proposal asks politely.</summary>
    const double Priority = 0.25;

    public Task<InsertResult?> AddAsync(ProposedLabel proposal, int mostOpen, CancellationToken ct) =>
        database.WriteAsync(Urgency.Interactive, session => PutAsync(database, session, proposal, mostOpen, ct), ct);

    public async Task<IReadOnlyList<ProposedLabel>> OfSpansAsync(ProjectId project, IReadOnlyList<SpanId> spans, CancellationToken ct) =>
        spans.Count == 0 ? [] : await database.QueryAsync(
            $"""
            SELECT {Columns}
            FROM proposed_label
            WHERE project_id = @project AND span_id IN (@spans)
            ORDER BY created_at DESC, span_id, metric_id, author
            """,
            Read, ct, ("project", project.Value), ("spans", spans.Select(span => span.Value).ToArray())).ConfigureAwait(false);

    internal static async Task<InsertResult?> PutAsync(
        Database database, Session session, ProposedLabel it, int mostOpen, CancellationToken ct)
    {
        (string, object?)[] key =
            [("project", it.Project.Value), ("span", it.Span.Value), ("metric", it.Metric.Value), ("author", it.Author)];
        var earlier = await session.FirstAsync(
            $"SELECT {Columns} FROM proposed_label WHERE project_id = @project AND span_id = @span AND metric_id = @metric AND author = "
                + "@author",
            Read, ct, key).ConfigureAwait(false);
        if (earlier == it with { CreatedAt = earlier?.CreatedAt ?? it.CreatedAt })
            return InsertResult.Repeated;
        if (earlier is null && await session.NumberAsync(
            """
            SELECT count(*)
            FROM proposed_label AS proposal
            WHERE proposal.project_id = @project AND proposal.author = @author AND NOT EXISTS (
                SELECT 1 FROM label
                WHERE label.project_id = proposal.project_id AND label.span_id = proposal.span_id AND label.metric_id = proposal.metric_id)
            """,
            ct, ("project", it.Project.Value), ("author", it.Author)).ConfigureAwait(false) >= mostOpen)
            return null;
        var kept = await session.ExecuteAsync(
            """
            INSERT INTO proposed_label (project_id, span_id, metric_id, author, passed, critique, confidence, created_at)
            SELECT span.project_id, span.id, metric.id, @author, @passed, @critique, @confidence, @at
            FROM span
            JOIN metric ON metric.project_id = span.project_id AND metric.id = @metric
            WHERE span.project_id = @project AND span.id = @span
            ON CONFLICT (project_id, span_id, metric_id, author) DO UPDATE
            SET passed = excluded.passed, critique = excluded.critique, confidence = excluded.confidence, created_at = excluded.created_at
            """,
            ct, [.. key, ("passed", it.Passed), ("critique", it.Critique), ("confidence", it.Confidence), ("at", it.CreatedAt)])
                .ConfigureAwait(false);
        if (kept == 0)
            throw new KeyNotFoundException($"Project {it.Project.Value} has no span {it.Span.Value} or no metric {it.Metric.Value}.");
        // The detail says nothing of the answer: the item may be served blind.
        await ReviewStore.PutAsync(
            session, it.Project, [new(it.Span, it.Metric, ReviewReason.Informative, $"{it.Author} proposes a label", Priority, null)],
            it.CreatedAt, ct)
            .ConfigureAwait(false);
        await AuditStore.AppendAsync(
            database, session, it.Project, it.CreatedAt, it.Author, "label.propose",
            FormattableString.Invariant($"{it.Span.Value}-{it.Metric.Value}"),
            JsonSerializer.Serialize(new { span = it.Span.Value, metric = it.Metric.Value, passed = it.Passed }), ct).ConfigureAwait(false);
        return InsertResult.Stored;
    }

    static ProposedLabel Read(DbDataReader row) => new(
        new(row.GetInt64(0)), new(row.GetInt64(1)), new(row.GetInt64(2)), row.GetString(3), row.YesNo(4), row.GetString(5),
        row.DoubleOrNull(6),
        row.Moment(7));
}
