using System.Data.Common;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;

namespace Flywheel.Storage.Metrics;

internal sealed class VerdictStore(Database database) : IVerdictStore
{
    /// <summary>Writes verdicts; the same (span, metric version, validator version) again takes the newer finding.</summary>
    const string Upsert =
        """
        INSERT INTO verdict (
            project_id, span_id, metric_version_id, validator_version, revision, metric_id, outcome, score, confidence, reason, cost_usd,
            latency_ms, model, demonstrations, spans, created_at, raw_confidence, stands, judge, said)
        SELECT project, span, version, validator, revision, metric, outcome, score, confidence, reason, cost, latency, model, demonstrations,
            spans, created, raw, stands, judge, said
        FROM @given
        WHERE 1 = 1
        ON CONFLICT (project_id, span_id, metric_version_id, validator_version, revision) DO UPDATE
        SET outcome = excluded.outcome, score = excluded.score, confidence = excluded.confidence, reason = excluded.reason,
            cost_usd = excluded.cost_usd, latency_ms = excluded.latency_ms, model = excluded.model,
            demonstrations = excluded.demonstrations, spans = excluded.spans, created_at = excluded.created_at,
            raw_confidence = excluded.raw_confidence, stands = excluded.stands, judge = excluded.judge, said = excluded.said
        """;

    public async Task<IReadOnlyList<Verdict>> CurrentAsync(ProjectId project, IReadOnlyList<SpanId> spans, CancellationToken ct) =>
        spans.Count == 0
            ? []
            : await database.QueryAsync(
                """
                SELECT project_id, span_id, metric_id, metric_version_id, validator_version, outcome, score, confidence, reason,
                    cost_usd, latency_ms, model, demonstrations, created_at, spans, raw_confidence, stands, judge, said, revision
                FROM current_verdict
                WHERE project_id = @project AND span_id IN (@spans)
                ORDER BY span_id, metric_id
                """,
                Read, ct, ("project", project.Value), ("spans", spans.Select(span => span.Value).ToArray())).ConfigureAwait(false);

    /// <summary>Records verdicts inside a transaction that proved the right to do so.</summary>
    internal static async Task PutAsync(Session session, IReadOnlyList<Verdict> verdicts, CancellationToken ct)
    {
        if (verdicts.Count == 0)
            return;
        // A set may hold a key once only; of two outcomes of one key the later one counts. Spans in order keep locks in order.
        var once = verdicts
            .GroupBy(verdict => (verdict.Project, verdict.Span, verdict.MetricVersion, verdict.ValidatorVersion, verdict.Revision))
            .Select(same => same.Last())
            .OrderBy(verdict => verdict.Span.Value)
            .ToArray();
        await session.ExecuteGivenAsync(
            Upsert, ct,
            new("project", once.Select(verdict => verdict.Project.Value).ToArray()),
            new("span", once.Select(verdict => verdict.Span.Value).ToArray()),
            new("version", once.Select(verdict => verdict.MetricVersion.Value).ToArray()),
            new("validator", once.Select(verdict => verdict.ValidatorVersion).ToArray()),
            new("revision", once.Select(verdict => (long)verdict.Revision).ToArray()),
            new("metric", once.Select(verdict => verdict.Metric.Value).ToArray()),
            new("outcome", once.Select(verdict => Wire.Name(verdict.Finding.Outcome)).ToArray()),
            new("score", once.Select(verdict => verdict.Finding.Score).ToArray()),
            new("confidence", once.Select(verdict => verdict.Finding.Confidence).ToArray()),
            new("reason", once.Select(verdict => verdict.Finding.Reason).ToArray()),
            new("cost", once.Select(verdict => verdict.Finding.CostUsd).ToArray()),
            new("latency", once.Select(verdict => verdict.LatencyMs).ToArray()),
            new("model", once.Select(verdict => verdict.Finding.Model).ToArray()),
            new("demonstrations", once.Select(verdict => Rows.Json(verdict.Finding.Demonstrations)).ToArray()),
            new("spans", once.Select(verdict => FoundSpanJson.Write(verdict.Finding.Spans)).ToArray()),
            new("created", once.Select(verdict => Timestamps.Micros(verdict.At)).ToArray()),
            new("raw", once.Select(verdict => verdict.Finding.RawConfidence).ToArray()),
            new("stands", once.Select(verdict => verdict.Finding.Stands is { } stands ? stands ? 1L : 0L : (long?)null).ToArray()),
            new("judge", once.Select(verdict => verdict.Finding.Trail?.Judge).ToArray()),
            new("said", once.Select(verdict => verdict.Finding.Trail?.ToJson()).ToArray())).ConfigureAwait(false);
    }

    static Verdict Read(DbDataReader row) => new(
        new(row.GetInt64(0)), new(row.GetInt64(1)), new(row.GetInt64(2)), new(row.GetInt64(3)), row.GetString(4),
        new(
            row.Word<Outcome>(5), row.DoubleOrNull(6), row.TextOrNull(8), row.DoubleOrNull(7), row.GetDouble(9), row.TextOrNull(11),
            row.IsDBNull(12) ? null : row.Ids(12), FoundSpanJson.Read(row.TextOrNull(14)))
        {
            RawConfidence = row.DoubleOrNull(15), Stands = row.IsDBNull(16) ? null : row.YesNo(16),
            Trail = row.TextOrNull(17) is { } judge ? JudgeTrail.Read(judge, row.TextOrNull(18)) : null,
        },
        row.GetDouble(10), row.Moment(13)) { Revision = row.GetInt32(19) };
}
