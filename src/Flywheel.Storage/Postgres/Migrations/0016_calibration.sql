-- What a judge's confidence is worth: as it came and calibrated, what each judge said, and what labels say of all of them.

-- As the judge gave it: the share of the vote or its own word. `confidence` is the probability that a person would agree, null until
-- labels calibrated it.
ALTER TABLE verdict ADD COLUMN raw_confidence DOUBLE PRECISION CHECK (raw_confidence BETWEEN 0 AND 1);

-- 1: above the line from which the judge's verdicts are promised to agree with people; 0: below; null: there was no line.
ALTER TABLE verdict ADD COLUMN stands SMALLINT CHECK (stands IN (0, 1));

-- Whoever answers by the same rules, whatever examples it is shown: labels of one judge calibrate it.
ALTER TABLE verdict ADD COLUMN judge TEXT;

-- {"length", "words": [{"model", "outcome", "confidence", "second"}]}: what each judge said, in order.
ALTER TABLE verdict ADD COLUMN said TEXT CHECK (said IS NULL OR said::json IS NOT NULL);

-- Code names no model; what webhooks say stays as it is.
UPDATE verdict SET raw_confidence = confidence, confidence = NULL WHERE model IS NOT NULL AND confidence IS NOT NULL;

CREATE INDEX verdict_by_judge ON verdict (project_id, metric_id, span_id) WHERE judge IS NOT NULL;

CREATE OR REPLACE VIEW current_verdict AS
SELECT project_id, span_id, metric_id, metric_version_id, validator_version, outcome, score, confidence, reason, cost_usd,
    latency_ms, model, demonstrations, created_at, spans, raw_confidence, stands, judge, said
FROM verdict
WHERE (
    SELECT count(*) FROM verdict AS newer
    WHERE newer.project_id = verdict.project_id AND newer.span_id = verdict.span_id AND newer.metric_id = verdict.metric_id
        AND (newer.created_at, newer.metric_version_id, newer.validator_version)
            > (verdict.created_at, verdict.metric_version_id, verdict.validator_version)) = 0;

-- What blind labels say of the judges of a metric version: fits, scores and lines, replaced as labels come.
CREATE TABLE judge_calibration (
    project_id BIGINT NOT NULL REFERENCES project (id),
    metric_version_id BIGINT NOT NULL REFERENCES metric_version (id),
    judge TEXT NOT NULL,
    labels INTEGER NOT NULL,
    plan TEXT NOT NULL CHECK (plan::json IS NOT NULL),
    judges TEXT NOT NULL CHECK (judges::json IS NOT NULL),
    created_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, metric_version_id, judge)
);

-- An example's disagreement is measured by the best confidence known.
CREATE OR REPLACE FUNCTION label_appears() RETURNS trigger LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM label_keeps_gold(NEW.project_id, NEW.span_id, NEW.metric_id);

    INSERT INTO demonstration (
        project_id, id, purpose, target, input, output, reason, disagreement, end_user, span_id, author, created_at, source_label)
    SELECT NEW.project_id, substr(NEW.id, 1, 14) || '8' || substr(NEW.id, 16), 'judge', metric.name,
        CASE metric_version.subject WHEN 'input' THEN span.input ELSE span.output END,
        CASE NEW.passed WHEN 1 THEN 'pass' ELSE 'fail' END, NEW.critique,
        -- How far the judge's probability of a pass was from the person's answer.
        abs(NEW.passed - coalesce((
            SELECT CASE outcome WHEN 'pass' THEN coalesce(confidence, raw_confidence, 1)
                WHEN 'fail' THEN 1 - coalesce(confidence, raw_confidence, 1) END
            FROM current_verdict
            WHERE project_id = NEW.project_id AND span_id = NEW.span_id AND metric_id = NEW.metric_id), 0.5)),
        span.end_user, span.id, NEW.author, NEW.created_at, NEW.id
    FROM span
    JOIN metric ON metric.id = NEW.metric_id AND metric.project_id = NEW.project_id
    JOIN metric_version ON metric_version.id = metric.current_version_id
    WHERE span.id = NEW.span_id AND span.project_id = NEW.project_id AND NEW.mode IN ('blind', 'edited')
        AND CASE metric_version.subject WHEN 'input' THEN span.input ELSE span.output END IS NOT NULL;

    -- Whoever decides between people takes back the examples that say otherwise.
    UPDATE demonstration
    SET state = 'recalled', recalled_at = NEW.created_at, recalled_by = NEW.author
    WHERE NEW.adjudicates = 1 AND project_id = NEW.project_id AND state <> 'recalled' AND source_label IN (
        SELECT id FROM label
        WHERE project_id = NEW.project_id AND span_id = NEW.span_id AND metric_id = NEW.metric_id AND passed <> NEW.passed);

    DELETE FROM review_reservation
    WHERE project_id = NEW.project_id AND span_id = NEW.span_id AND metric_id = NEW.metric_id AND author = NEW.author;
    RETURN NULL;
END
$$;
