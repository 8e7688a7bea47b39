using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Flywheel.Core.Evaluation;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Storage.Labeling;
using Flywheel.Storage.Metrics;
using Flywheel.Storage.Review;

namespace Flywheel.Storage.Traces;

internal sealed class SpanEvaluationStore(Database database) : ISpanEvaluationStore
{
    /// <summary>The longest pause between two looks for a span that is not there.</summary>
    const long LongestPause = 60_000_000;

    /// <summary>After which an evaluation that names an answer nobody has is taken to be about the span that it was said in.</summary>
    const long AnswerPatience = 600_000_000;

    const int MostProposals = 10_000;

    public Task AddAsync(
        ProjectId project, IReadOnlyList<SpanEvaluation> evaluations, bool mayLabel, DateTimeOffset at, CancellationToken ct) =>
        evaluations.Count == 0 ? Task.CompletedTask : database.WriteAsync(
            Urgency.Interactive,
            session => session.ExecuteGivenAsync(
                """
                INSERT INTO span_evaluation (
                    project_id, trace_id, span_id, response_id, name, source, score, score_label, explanation, error, author, evaluator, blind,
                    may_label, at, received_at, try_at, digest)
                SELECT project, trace, span, response, name, source, score, word, explanation, fault, author, evaluator, blind, labels, said,
                    received, received, digest
                FROM @given
                WHERE 1 = 1
                ON CONFLICT (project_id, digest) DO NOTHING
                """,
                ct,
                new("project", evaluations.Select(_ => project.Value).ToArray()),
                new("trace", evaluations.Select(it => it.Key?.Trace).ToArray()),
                new("span", evaluations.Select(it => it.Key?.Span).ToArray()),
                new("response", evaluations.Select(it => it.ResponseId).ToArray()),
                new("name", evaluations.Select(it => it.Name).ToArray()),
                new("source", evaluations.Select(it => Wire.Name(it.Source)).ToArray()),
                new("score", evaluations.Select(it => it.Score).ToArray()),
                new("word", evaluations.Select(it => it.Label).ToArray()),
                new("explanation", evaluations.Select(it => it.Explanation).ToArray()),
                new("fault", evaluations.Select(it => it.Error).ToArray()),
                new("author", evaluations.Select(it => it.Author).ToArray()),
                new("evaluator", evaluations.Select(it => it.Evaluator).ToArray()),
                new("blind", evaluations.Select(it => it.Blind ? 1L : 0L).ToArray()),
                new("labels", evaluations.Select(_ => mayLabel ? 1L : 0L).ToArray()),
                new("said", evaluations.Select(it => Timestamps.Micros(it.At == DateTimeOffset.UnixEpoch ? at : it.At)).ToArray()),
                new("received", evaluations.Select(_ => Timestamps.Micros(at)).ToArray()),
                new("digest", evaluations.Select(it => Digest(it, mayLabel)).ToArray())),
            ct);

    public Task<IReadOnlyList<ReadyEvaluation>> ReadyAsync(int limit, DateTimeOffset now, CancellationToken ct) =>
        database.WriteAsync<IReadOnlyList<ReadyEvaluation>>(
            Urgency.Background,
            async session =>
            {
                var looked = await session.QueryAsync(
                    """
                    SELECT waiting.id, waiting.project_id, waiting.trace_id, waiting.span_id, waiting.response_id, waiting.name, waiting.source, waiting.score,
                        waiting.score_label, waiting.explanation, waiting.error, waiting.author, waiting.evaluator, waiting.blind, waiting.may_label, waiting.at,
                        CASE WHEN waiting.response_id IS NULL THEN own.id ELSE coalesce(
                            (SELECT max(answer.id) FROM span AS answer
                                WHERE answer.project_id = waiting.project_id AND answer.response_id = waiting.response_id),
                            CASE WHEN waiting.received_at < @impatient THEN own.id END) END
                    FROM (SELECT * FROM span_evaluation WHERE joined = 0 AND try_at <= @now ORDER BY try_at LIMIT @limit) AS waiting
                    LEFT JOIN span AS own ON own.project_id = waiting.project_id AND own.trace_id = waiting.trace_id AND own.span_id = waiting.span_id
                    ORDER BY waiting.at, waiting.id
                    """,
                    row => (Id: row.GetInt64(0), Project: new ProjectId(row.GetInt64(1)),
                        Span: row.IsDBNull(16) ? (long?)null : row.GetInt64(16),
                        MayLabel: row.YesNo(14), Said: new SpanEvaluation(
                            row.IsDBNull(2) ? null : new(row.GetString(2), row.GetString(3)), row.TextOrNull(4), row.GetString(5),
                            row.Word<EvaluationSource>(6),
                            row.DoubleOrNull(7), row.TextOrNull(8), row.TextOrNull(9), row.TextOrNull(10), row.TextOrNull(11),
                            row.GetString(12), row.YesNo(13),
                            row.Moment(15))),
                    ct, ("now", now), ("impatient", Timestamps.Micros(now) - AnswerPatience), ("limit", limit)).ConfigureAwait(false);
                var absent = looked.Where(one => one.Span is null).Select(one => one.Id).ToArray();
                if (absent.Length > 0)
                    await session.ExecuteAsync(
                        """
                        UPDATE span_evaluation
                        SET tries = tries + 1,
                            try_at = @now + CASE WHEN tries >= 6 THEN @longest ELSE 1000000 * (CASE tries WHEN 0 THEN 1 WHEN 1 THEN 2 WHEN 2 THEN 4 WHEN 3 THEN 8 WHEN 4 THEN 16 ELSE 32 END) END
                        WHERE id IN (@absent)
                        """,
                        ct, ("now", Timestamps.Micros(now)), ("longest", LongestPause), ("absent", absent)).ConfigureAwait(false);
                return [.. looked.Where(one => one.Span is not null)
                    .Select(one => new ReadyEvaluation(one.Id, one.Project, new(one.Span!.Value), one.Said, one.MayLabel))];
            },
            ct);

    public Task RecordAsync(ReadyEvaluation evaluation, EvaluationEffect effect, CancellationToken ct) => database.WriteAsync(
        Urgency.Background,
        async session =>
        {
            if (await session.ExecuteAsync(
                "UPDATE span_evaluation SET joined = 1 WHERE id = @id AND joined = 0", ct, ("id", evaluation.Id))
                    .ConfigureAwait(false) == 0)
                return false;
            if (effect.Verdict is { } verdict && await session.NumberAsync(
                """
                SELECT count(*)
                FROM verdict
                WHERE project_id = @project AND span_id = @span AND metric_version_id = @version AND validator_version = @validator AND created_at > @at
                """,
                ct, ("project", verdict.Project.Value), ("span", verdict.Span.Value), ("version", verdict.MetricVersion.Value),
                ("validator", verdict.ValidatorVersion), ("at", verdict.At)).ConfigureAwait(false) == 0)
                await VerdictStore.PutAsync(
                    session,
                    [
                        verdict with
                        {
                            Revision = (int)(await session.NumberAsync(
                                "SELECT revision FROM span WHERE project_id = @project AND id = @span", ct,
                                ("project", verdict.Project.Value), ("span", verdict.Span.Value)).ConfigureAwait(false) ?? 1),
                        },
                    ],
                    ct).ConfigureAwait(false);
            if (effect.Label is { } label)
                await LabelStore.PutAsync(session, label, ct).ConfigureAwait(false);
            if (effect.Proposal is { } proposal)
                await ProposedLabelStore.PutAsync(database, session, proposal, MostProposals, ct).ConfigureAwait(false);
            return true;
        },
        ct);

    public Task<int> ForgetAsync(DateTimeOffset before, CancellationToken ct) => database.WriteAsync(
        Urgency.Background,
        session => session.ExecuteAsync(
            "DELETE FROM span_evaluation WHERE id IN (SELECT id FROM span_evaluation WHERE received_at < @before ORDER BY received_at "
                + "LIMIT 1000)",
            ct, ("before", before)),
        ct);

    static string Digest(SpanEvaluation it, bool mayLabel) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', [
        it.Key?.ToString(), it.ResponseId, it.Name, Wire.Name(it.Source), it.Score?.ToString("R", CultureInfo.InvariantCulture), it.Label,
        it.Explanation, it.Error,
        it.Author, it.Evaluator, it.Blind ? "blind" : "", mayLabel ? "label" : "",
        Timestamps.Micros(it.At).ToString(CultureInfo.InvariantCulture),
    ]))));
}
