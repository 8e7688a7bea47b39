-- What people are asked to look at.

-- What the product chose to put before a person.
CREATE TABLE review_pick (
    project_id {integer} NOT NULL,
    span_id {span} NOT NULL,
    metric_id {integer} NOT NULL DEFAULT 0, -- 0: it is about the node's output itself
    reason TEXT NOT NULL CHECK (reason IN ('disagreement', 'lowscore', 'unsure', 'informative', 'randomaudit')),
    detail TEXT NOT NULL,           -- the reason in words
    priority {real} NOT NULL,       -- among picks of one reason; the highest first
    propensity {real} CHECK (propensity > 0 AND propensity <= 1), -- chance with which it was drawn; null: it was not drawn
    shown_at {integer},             -- when the queue first showed it: a label is then an answer to it
    created_at {integer} NOT NULL,
    PRIMARY KEY (project_id, span_id, metric_id, reason)
) {clustered};

-- A page of one reason, most urgent first.
CREATE INDEX review_pick_by_reason ON review_pick (project_id, reason, priority, span_id, metric_id);

-- An item that one person has taken. Others are not shown it until then.
CREATE TABLE review_reservation (
    project_id {integer} NOT NULL,
    span_id {integer} NOT NULL,
    metric_id {integer} NOT NULL DEFAULT 0, -- 0: as in review_pick
    author TEXT NOT NULL,
    until {integer} NOT NULL,
    PRIMARY KEY (project_id, span_id, metric_id)
) {clustered};

-- How the queue showed a pair to people.
CREATE TABLE review_served (
    project_id {integer} NOT NULL,
    span_id {integer} NOT NULL,
    metric_id {integer} NOT NULL,
    mode TEXT NOT NULL CHECK (mode IN ('blind', 'suggested')), -- without or with the judge's suggestion; stays as it was the first time
    validator_version TEXT NOT NULL, -- of the newest suggestion
    outcome TEXT NOT NULL,           -- the newest suggestion
    created_at {integer} NOT NULL,
    PRIMARY KEY (project_id, span_id, metric_id)
) {clustered};

-- The review queue: what a person should look at and why, until a person has. Reasons of small volume come before those that
-- traffic makes without end, so that none starves. Priorities: 6 adjudicate, 5 disagreement, 4 random audit, 3 to 4 informative
-- (ordered among themselves), 2 unsure, 1 low score. A pair that was also drawn at random carries its propensity whatever the
-- reason is: its label counts for the unbiased rate. The parts count related rows instead of joining them, so that a page is read
-- along an index from its first row to its last and no further, however long the queue is.

-- People and validator disagree: a single blind label contradicts the newest verdict; a second label settles it.
CREATE VIEW review_disagreement AS
SELECT label.project_id, label.span_id, label.metric_id, metric.name AS metric,
    'a person said ' || CASE label.passed WHEN 1 THEN 'pass' ELSE 'fail' END || ', the validator ' || verdict.outcome AS detail,
    label.propensity, label.created_at AS since
FROM label
JOIN metric ON metric.id = label.metric_id AND metric.project_id = label.project_id AND metric.state = 'active'
JOIN verdict ON verdict.project_id = label.project_id AND verdict.span_id = label.span_id AND verdict.metric_id = label.metric_id
WHERE label.mode = 'blind' AND verdict.outcome = CASE label.passed WHEN 1 THEN 'fail' WHEN 0 THEN 'pass' END
    AND (
        SELECT count(*) FROM verdict AS newer
        WHERE newer.project_id = verdict.project_id AND newer.span_id = verdict.span_id AND newer.metric_id = verdict.metric_id
            AND (newer.revision, newer.created_at, newer.metric_version_id, newer.validator_version)
                > (verdict.revision, verdict.created_at, verdict.metric_version_id, verdict.validator_version)) = 0
    AND (
        SELECT count(*) FROM label AS other
        WHERE other.project_id = label.project_id AND other.span_id = label.span_id AND other.metric_id = label.metric_id) = 1;

-- People differ, as many for a pass as for a fail, each by their newest blind label; it stands at the newest of them. One more
-- label settles it, or one that adjudicates.
CREATE VIEW review_adjudication AS
SELECT label.project_id, label.span_id, label.metric_id, metric.name AS metric,
    (SELECT count(DISTINCT author) FROM label AS one
        WHERE one.project_id = label.project_id AND one.span_id = label.span_id AND one.metric_id = label.metric_id
            AND one.mode = 'blind') || ' people differ' AS detail,
    CAST(NULL AS DOUBLE PRECISION) AS propensity, label.created_at AS since
FROM label
JOIN metric ON metric.id = label.metric_id AND metric.project_id = label.project_id AND metric.state = 'active'
WHERE label.mode = 'blind'
    AND EXISTS (
        SELECT 1 FROM label AS other
        WHERE other.project_id = label.project_id AND other.span_id = label.span_id AND other.metric_id = label.metric_id
            AND other.mode = 'blind' AND other.author <> label.author AND other.passed <> label.passed)
    AND NOT EXISTS (
        SELECT 1 FROM label AS other
        WHERE other.project_id = label.project_id AND other.span_id = label.span_id AND other.metric_id = label.metric_id
            AND other.mode = 'blind' AND (other.adjudicates = 1 OR (other.created_at, other.id) > (label.created_at, label.id)))
    AND (
        SELECT sum(2 * vote.passed - 1) FROM label AS vote
        WHERE vote.project_id = label.project_id AND vote.span_id = label.span_id AND vote.metric_id = label.metric_id
            AND vote.mode = 'blind' AND NOT EXISTS (
                SELECT 1 FROM label AS later
                WHERE later.project_id = vote.project_id AND later.span_id = vote.span_id AND later.metric_id = vote.metric_id
                    AND later.mode = 'blind' AND later.author = vote.author
                    AND (later.created_at, later.id) > (vote.created_at, vote.id))) = 0;

-- The newest verdict is a fail or could not decide, and fewer people than are asked have labelled the pair, nor has anybody
-- corrected the output that it is about.
CREATE VIEW review_verdict AS
SELECT verdict.project_id, verdict.span_id, verdict.metric_id, (SELECT name FROM metric WHERE metric.id = verdict.metric_id) AS metric,
    verdict.outcome,
    coalesce(verdict.reason, CASE verdict.outcome WHEN 'fail' THEN 'the validator failed it' ELSE 'the validator could not decide' END)
        AS detail,
    (SELECT propensity FROM review_pick AS drawn
        WHERE drawn.project_id = verdict.project_id AND drawn.span_id = verdict.span_id AND drawn.metric_id = verdict.metric_id
            AND drawn.reason = 'randomaudit') AS propensity,
    verdict.created_at AS since
FROM verdict
WHERE verdict.outcome IN ('fail', 'unsure')
    AND (SELECT state FROM metric WHERE metric.id = verdict.metric_id AND metric.project_id = verdict.project_id) = 'active'
    AND (
        SELECT count(*) FROM verdict AS newer
        WHERE newer.project_id = verdict.project_id AND newer.span_id = verdict.span_id AND newer.metric_id = verdict.metric_id
            AND (newer.revision, newer.created_at, newer.metric_version_id, newer.validator_version)
                > (verdict.revision, verdict.created_at, verdict.metric_version_id, verdict.validator_version)) = 0
    AND (
        SELECT count(DISTINCT author) FROM label
        WHERE label.project_id = verdict.project_id AND label.span_id = verdict.span_id AND label.metric_id = verdict.metric_id)
        < (SELECT labels_per_item FROM metric_version WHERE metric_version.id = verdict.metric_version_id)
    AND ((
        SELECT count(*) FROM correction
        WHERE correction.project_id = verdict.project_id AND correction.span_id = verdict.span_id) = 0
        OR (SELECT subject FROM metric_version WHERE metric_version.id = verdict.metric_version_id) = 'input');

-- Picks until they are answered: about an active metric by as many people's labels as are asked, about the output (metric_id 0)
-- by a correction.
CREATE VIEW review_open_pick AS
SELECT pick.project_id, pick.span_id, pick.metric_id, (SELECT name FROM metric WHERE metric.id = pick.metric_id) AS metric,
    pick.reason, pick.detail, pick.priority,
    coalesce(pick.propensity, (SELECT propensity FROM review_pick AS drawn
        WHERE drawn.project_id = pick.project_id AND drawn.span_id = pick.span_id AND drawn.metric_id = pick.metric_id
            AND drawn.reason = 'randomaudit')) AS propensity,
    pick.created_at AS since
FROM review_pick AS pick
WHERE CASE pick.metric_id
    WHEN 0 THEN (
        SELECT count(*) FROM correction WHERE correction.project_id = pick.project_id AND correction.span_id = pick.span_id) = 0
    ELSE (SELECT state FROM metric WHERE metric.id = pick.metric_id AND metric.project_id = pick.project_id) = 'active'
        AND (
            SELECT count(DISTINCT author) FROM label
            WHERE label.project_id = pick.project_id AND label.span_id = pick.span_id AND label.metric_id = pick.metric_id)
            < (SELECT labels_per_item FROM metric_version
                WHERE metric_version.id = (SELECT current_version_id FROM metric WHERE metric.id = pick.metric_id))
    END;

-- All of it, for query tools.
CREATE VIEW review_item AS
SELECT project_id, span_id, metric_id, metric, 'adjudicate' AS reason, detail, 6.0 AS priority, propensity, since
FROM review_adjudication
UNION ALL
SELECT project_id, span_id, metric_id, metric, 'disagreement', detail, 5.0, propensity, since
FROM review_disagreement
UNION ALL
SELECT project_id, span_id, metric_id, metric, CASE outcome WHEN 'fail' THEN 'lowscore' ELSE 'unsure' END, detail,
    CASE outcome WHEN 'fail' THEN 1.0 ELSE 2.0 END, propensity, since
FROM review_verdict AS item
WHERE NOT EXISTS (
    SELECT 1 FROM review_pick AS pick
    WHERE pick.project_id = item.project_id AND pick.span_id = item.span_id AND pick.metric_id = item.metric_id
        AND pick.reason = CASE item.outcome WHEN 'fail' THEN 'lowscore' ELSE 'unsure' END)
UNION ALL
SELECT project_id, span_id, NULLIF(metric_id, 0), metric, reason, detail,
    CASE reason
        WHEN 'disagreement' THEN 5.0
        WHEN 'randomaudit' THEN 4.0
        WHEN 'unsure' THEN 2.0
        WHEN 'lowscore' THEN 1.0
        ELSE 3.0 + 0.999 * CASE WHEN priority < 0 THEN 0 WHEN priority > 1 THEN 1 ELSE priority END
    END,
    propensity, since
FROM review_open_pick;
