-- What validators decided.

-- A validator's outcome on one span: written by the holder of the job's newest lease, when a pair is skipped, and for what an
-- evaluator elsewhere said (span_evaluation).
CREATE TABLE verdict (
    project_id {integer} NOT NULL,
    span_id {span} NOT NULL,
    metric_version_id {integer} NOT NULL{sqlite:  REFERENCES metric_version (id)},
    revision {integer} NOT NULL DEFAULT 1, -- of the span's text, as in span.revision
    validator_version TEXT NOT NULL, -- hash of all that decides: code, settings, a judge's model and examples
    metric_id {integer} NOT NULL,
    -- Comparisons instead of IN: see span.kind.
    outcome TEXT NOT NULL
        CHECK (outcome = 'pass' OR outcome = 'fail' OR outcome = 'unsure' OR outcome = 'skipped' OR outcome = 'error'),
    score {real},                   -- the validator's measure, such as a length
    confidence {real} CHECK (confidence BETWEEN 0 AND 1),         -- probability that a person would agree; null until labels calibrated it
    raw_confidence {real} CHECK (raw_confidence BETWEEN 0 AND 1), -- what the judge gave: the share of the vote or its own figure
    stands {small} CHECK (stands IN (0, 1)), -- 1: above the line from which verdicts are promised to agree with people; null: no line
    reason TEXT,
    cost_usd {real} NOT NULL DEFAULT 0,
    latency_ms {real} NOT NULL DEFAULT 0,
    model TEXT,                     -- null for code
    judge TEXT,                     -- who answers by the same rules whatever its examples: labels of one judge calibrate it; null for code
    demonstrations TEXT CHECK (demonstrations IS NULL OR json_valid(demonstrations)), -- JSON list of the ids of the examples shown
    spans TEXT CHECK (spans IS NULL OR json_valid(spans)), -- where in the text: [{"type", "start", "end"}], UTF-16 offsets
    said TEXT CHECK (said IS NULL OR json_valid(said)), -- {"length", "words": [{"model", "outcome", "confidence", "second"}]} per judge
    label_chance {real} CHECK (label_chance > 0 AND label_chance <= 1), -- of the draw for a label, drawn or not; null: not considered
    created_at {integer} NOT NULL DEFAULT {now},
    PRIMARY KEY (project_id, span_id, metric_version_id, validator_version, revision)
) {clustered};

-- What the review queue looks through.
CREATE INDEX verdict_to_review ON verdict (project_id, outcome, span_id, metric_id) WHERE outcome IN ('fail', 'unsure');

-- Judges' verdicts that the planner has still to consider, oldest first.
CREATE INDEX verdict_to_draw ON verdict (project_id, metric_id, created_at, span_id)
    WHERE label_chance IS NULL AND model IS NOT NULL AND outcome IN ('pass', 'fail', 'unsure');

CREATE INDEX verdict_by_judge ON verdict (project_id, metric_id, span_id) WHERE judge IS NOT NULL;

-- The newest verdict of each span and metric: that of the newest text, then by time, then by version. Newer ones are counted instead of ranked, so
-- that a question about a few spans reads those few.
CREATE VIEW current_verdict AS
SELECT project_id, span_id, metric_id, metric_version_id, validator_version, revision, outcome, score, confidence, raw_confidence, stands,
    reason, cost_usd, latency_ms, model, judge, demonstrations, spans, said, created_at
FROM verdict
WHERE (
    SELECT count(*) FROM verdict AS newer
    WHERE newer.project_id = verdict.project_id AND newer.span_id = verdict.span_id AND newer.metric_id = verdict.metric_id
        AND (newer.revision, newer.created_at, newer.metric_version_id, newer.validator_version)
            > (verdict.revision, verdict.created_at, verdict.metric_version_id, verdict.validator_version)) = 0;
