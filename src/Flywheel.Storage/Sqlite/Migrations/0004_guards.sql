-- What a guard does about a text that fails and when it cannot check; null for a monitor.
ALTER TABLE metric_version ADD COLUMN on_fail TEXT CHECK (on_fail IN ('block', 'flag', 'redact'));
ALTER TABLE metric_version ADD COLUMN on_error TEXT CHECK (on_error IN ('allow', 'block'));

-- Where in the text it was found: [{"type", "start", "end"}], UTF-16 offsets in the stored text.
ALTER TABLE verdict ADD COLUMN spans TEXT CHECK (spans IS NULL OR json_valid(spans));

DROP VIEW current_verdict;

-- The newest verdict of each span and metric; equal times are ordered by version. Newer ones are counted instead of ranked, so
-- that a question about a few spans reads those few.
CREATE VIEW current_verdict AS
SELECT project_id, span_id, metric_id, metric_version_id, validator_version, outcome, score, confidence, reason, cost_usd,
    latency_ms, model, demonstrations, created_at, spans
FROM verdict
WHERE (
    SELECT count(*) FROM verdict AS newer
    WHERE newer.project_id = verdict.project_id AND newer.span_id = verdict.span_id AND newer.metric_id = verdict.metric_id
        AND (newer.created_at, newer.metric_version_id, newer.validator_version)
            > (verdict.created_at, verdict.metric_version_id, verdict.validator_version)) = 0;
