-- Counts of verdicts by what people said of the same span, and the views that say what kept rows must equal.
--   human: 1 pass, 0 fail, -1 nobody said anything blind (gold.passed).
--   chance: as in gold; 0 when there is no label.
-- Only verdicts of the span's newest text count (span.revision).
--   bucket: the UTC hour in which the span started.

-- Changes that are not folded yet. Triggers on verdict and gold only append here; a worker folds them into metric_count.
CREATE TABLE metric_delta (
    sequence {id},
    project_id {integer} NOT NULL,
    metric_version_id {integer} NOT NULL,
    validator_version TEXT NOT NULL,
    node TEXT NOT NULL,
    bucket {integer} NOT NULL,
    outcome TEXT NOT NULL,
    human {small} NOT NULL,
    chance {real} NOT NULL DEFAULT 0,
    change {integer} NOT NULL
) {strict};

-- Folded counts.
CREATE TABLE metric_count (
    project_id {integer} NOT NULL,
    metric_version_id {integer} NOT NULL,
    validator_version TEXT NOT NULL,
    node TEXT NOT NULL,
    bucket {integer} NOT NULL,
    outcome TEXT NOT NULL,
    human {small} NOT NULL,
    chance {real} NOT NULL DEFAULT 0,
    total {integer} NOT NULL,
    PRIMARY KEY (project_id, metric_version_id, validator_version, node, bucket, outcome, human, chance)
) {clustered};

-- Always exact: folded counts and the changes not folded yet.
CREATE VIEW metric_cell AS
SELECT project_id, metric_version_id, validator_version, node, bucket, outcome, human, chance, CAST(sum(total) AS BIGINT) AS total
FROM (
    SELECT project_id, metric_version_id, validator_version, node, bucket, outcome, human, chance, total FROM metric_count
    UNION ALL
    SELECT project_id, metric_version_id, validator_version, node, bucket, outcome, human, chance, change FROM metric_delta
) AS part
GROUP BY project_id, metric_version_id, validator_version, node, bucket, outcome, human, chance
HAVING sum(total) <> 0;

-- What metric_cell must equal, counted from the rows.
CREATE VIEW metric_cell_recomputed AS
SELECT verdict.project_id, verdict.metric_version_id, verdict.validator_version, span.node,
    span.started_at - span.started_at % 3600000000 AS bucket, verdict.outcome, coalesce(gold.passed, -1) AS human,
    coalesce(gold.chance, 0) AS chance, count(*) AS total
FROM verdict
JOIN span ON span.id = verdict.span_id AND span.project_id = verdict.project_id AND span.revision = verdict.revision
LEFT JOIN gold ON gold.project_id = verdict.project_id AND gold.span_id = verdict.span_id AND gold.metric_id = verdict.metric_id
GROUP BY verdict.project_id, verdict.metric_version_id, verdict.validator_version, span.node,
    span.started_at - span.started_at % 3600000000, verdict.outcome, coalesce(gold.passed, -1), coalesce(gold.chance, 0);

-- What gold must equal: of the blind labels of a pair that say pass or fail the one that adjudicates, else one of the majority, to which each person
-- contributes the newest label, else the newest; with the chance of the pair's draw.
CREATE VIEW gold_recomputed AS
SELECT label.project_id, label.span_id, label.metric_id, label.passed, label.id AS label_id,
    coalesce(
        (
            SELECT drawn.propensity FROM review_pick AS drawn
            WHERE drawn.project_id = label.project_id AND drawn.span_id = label.span_id AND drawn.metric_id = label.metric_id
                AND drawn.reason = 'randomaudit'
                AND (drawn.shown_at IS NOT NULL OR EXISTS (
                    SELECT 1 FROM label AS one
                    WHERE one.project_id = label.project_id AND one.span_id = label.span_id AND one.metric_id = label.metric_id
                        AND one.mode = 'blind' AND one.propensity IS NOT NULL))),
        (
            SELECT max(one.propensity) FROM label AS one
            WHERE one.project_id = label.project_id AND one.span_id = label.span_id AND one.metric_id = label.metric_id
                AND one.mode = 'blind'),
        (
            SELECT max(-1.0) FROM review_pick AS pick
            WHERE pick.project_id = label.project_id AND pick.span_id = label.span_id AND pick.metric_id = label.metric_id
                AND pick.propensity IS NULL AND pick.shown_at IS NOT NULL),
        0) AS chance
FROM label
WHERE label.mode = 'blind' AND label.passed IS NOT NULL AND label.id = (
    SELECT best.id FROM label AS best
    WHERE best.project_id = label.project_id AND best.span_id = label.span_id AND best.metric_id = label.metric_id
        AND best.mode = 'blind' AND best.passed IS NOT NULL
    ORDER BY best.adjudicates DESC,
        (
            SELECT count(*) FROM label AS vote
            WHERE vote.project_id = best.project_id AND vote.span_id = best.span_id AND vote.metric_id = best.metric_id
                AND vote.mode = 'blind' AND vote.passed = best.passed AND NOT EXISTS (
                    SELECT 1 FROM label AS later
                    WHERE later.project_id = vote.project_id AND later.span_id = vote.span_id AND later.metric_id = vote.metric_id
                        AND later.mode = 'blind' AND later.author = vote.author
                        AND (later.created_at, later.id) > (vote.created_at, vote.id))) DESC,
        best.created_at DESC, best.id DESC
    LIMIT 1);
