-- What labels estimate: each judged pair is drawn for labelling with a chance that is kept, counts tell drawn labels from others,
-- people take items for a while, several may be asked, and one decides where they differ.

-- The chance with which the planner drew the pair for a label, whether it was drawn or not; null while it has not been considered.
ALTER TABLE verdict ADD COLUMN label_chance REAL CHECK (label_chance > 0 AND label_chance <= 1);

-- Judges' verdicts (code names no model) that the planner has still to consider, oldest first.
CREATE INDEX verdict_to_draw ON verdict (project_id, metric_id, created_at, span_id)
    WHERE label_chance IS NULL AND model IS NOT NULL AND outcome IN ('pass', 'fail', 'unsure');

-- How many people are asked about one item.
ALTER TABLE metric_version ADD COLUMN labels_per_item INTEGER NOT NULL DEFAULT 1 CHECK (labels_per_item BETWEEN 1 AND 9);

-- 1: given knowing that people differed, and deciding between them.
ALTER TABLE label ADD COLUMN adjudicates INTEGER NOT NULL DEFAULT 0 CHECK (adjudicates IN (0, 1));

-- When the queue first put the pick before somebody; a label of it is then an answer to it.
ALTER TABLE review_pick ADD COLUMN shown_at INTEGER;

-- An item that one person has taken; others are not shown it until then.
CREATE TABLE review_reservation (
    project_id INTEGER NOT NULL,
    span_id INTEGER NOT NULL,
    metric_id INTEGER NOT NULL DEFAULT 0,
    author TEXT NOT NULL,
    until INTEGER NOT NULL,
    PRIMARY KEY (project_id, span_id, metric_id)
) STRICT, WITHOUT ROWID;

-- chance: with which the labelled pair was drawn; 0 when a person labelled it unasked, or nobody did; -1 when it was picked for
-- what it is (a likely failure), so that its label estimates nothing. Pairs keep the chance of the draw, whatever the label says.
ALTER TABLE gold ADD COLUMN chance REAL NOT NULL DEFAULT 0;
ALTER TABLE metric_delta ADD COLUMN chance REAL NOT NULL DEFAULT 0;

DROP VIEW metric_cell;
DROP VIEW metric_cell_recomputed;
DROP TRIGGER verdict_counts;
DROP TRIGGER verdict_recounts;
DROP TRIGGER verdict_uncounts;
DROP TRIGGER gold_counts;
DROP TRIGGER gold_recounts;
DROP TRIGGER gold_uncounts;
DROP TRIGGER label_appears;
DROP TRIGGER label_changes;
DROP TRIGGER label_goes;

CREATE TABLE metric_count_by_chance (
    project_id INTEGER NOT NULL,
    metric_version_id INTEGER NOT NULL,
    validator_version TEXT NOT NULL,
    node TEXT NOT NULL,
    bucket INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    human INTEGER NOT NULL,
    chance REAL NOT NULL DEFAULT 0,
    total INTEGER NOT NULL,
    PRIMARY KEY (project_id, metric_version_id, validator_version, node, bucket, outcome, human, chance)
) STRICT, WITHOUT ROWID;
INSERT INTO metric_count_by_chance (project_id, metric_version_id, validator_version, node, bucket, outcome, human, total)
SELECT project_id, metric_version_id, validator_version, node, bucket, outcome, human, total FROM metric_count;
DROP TABLE metric_count;
ALTER TABLE metric_count_by_chance RENAME TO metric_count;

-- Always exact: folded counts and the changes not folded yet.
CREATE VIEW metric_cell AS
SELECT project_id, metric_version_id, validator_version, node, bucket, outcome, human, chance, sum(total) AS total
FROM (
    SELECT project_id, metric_version_id, validator_version, node, bucket, outcome, human, chance, total FROM metric_count
    UNION ALL
    SELECT project_id, metric_version_id, validator_version, node, bucket, outcome, human, chance, change FROM metric_delta
) AS part
GROUP BY project_id, metric_version_id, validator_version, node, bucket, outcome, human, chance
HAVING sum(total) <> 0;

-- The truth that metric_cell must equal.
CREATE VIEW metric_cell_recomputed AS
SELECT verdict.project_id, verdict.metric_version_id, verdict.validator_version, span.node,
    span.started_at - span.started_at % 3600000000 AS bucket, verdict.outcome, coalesce(gold.passed, -1) AS human,
    coalesce(gold.chance, 0) AS chance, count(*) AS total
FROM verdict
JOIN span ON span.id = verdict.span_id AND span.project_id = verdict.project_id
LEFT JOIN gold ON gold.project_id = verdict.project_id AND gold.span_id = verdict.span_id AND gold.metric_id = verdict.metric_id
GROUP BY verdict.project_id, verdict.metric_version_id, verdict.validator_version, span.node,
    span.started_at - span.started_at % 3600000000, verdict.outcome, coalesce(gold.passed, -1), coalesce(gold.chance, 0);

CREATE TRIGGER verdict_counts AFTER INSERT ON verdict
BEGIN
    INSERT INTO metric_delta (project_id, metric_version_id, validator_version, node, bucket, outcome, human, chance, change)
    SELECT NEW.project_id, NEW.metric_version_id, NEW.validator_version, node, started_at - started_at % 3600000000, NEW.outcome,
        coalesce(gold.passed, -1), coalesce(gold.chance, 0), 1
    FROM span
    LEFT JOIN gold ON gold.project_id = NEW.project_id AND gold.span_id = NEW.span_id AND gold.metric_id = NEW.metric_id
    WHERE span.id = NEW.span_id AND span.project_id = NEW.project_id;
END;

CREATE TRIGGER verdict_recounts AFTER UPDATE OF outcome ON verdict
WHEN NEW.outcome <> OLD.outcome
BEGIN
    INSERT INTO metric_delta (project_id, metric_version_id, validator_version, node, bucket, outcome, human, chance, change)
    SELECT NEW.project_id, NEW.metric_version_id, NEW.validator_version, node, started_at - started_at % 3600000000, CASE step.change WHEN 1 THEN NEW.outcome ELSE OLD.outcome END,
        coalesce(gold.passed, -1), coalesce(gold.chance, 0), step.change
    FROM span
    CROSS JOIN (SELECT -1 AS change UNION ALL SELECT 1) AS step
    LEFT JOIN gold ON gold.project_id = NEW.project_id AND gold.span_id = NEW.span_id AND gold.metric_id = NEW.metric_id
    WHERE span.id = NEW.span_id AND span.project_id = NEW.project_id;
END;

CREATE TRIGGER verdict_uncounts AFTER DELETE ON verdict
BEGIN
    INSERT INTO metric_delta (project_id, metric_version_id, validator_version, node, bucket, outcome, human, chance, change)
    SELECT OLD.project_id, OLD.metric_version_id, OLD.validator_version, node, started_at - started_at % 3600000000, OLD.outcome,
        coalesce(gold.passed, -1), coalesce(gold.chance, 0), -1
    FROM span
    LEFT JOIN gold ON gold.project_id = OLD.project_id AND gold.span_id = OLD.span_id AND gold.metric_id = OLD.metric_id
    WHERE span.id = OLD.span_id AND span.project_id = OLD.project_id;
END;

-- A blind label moves the verdicts of its span and metric from one cell to another.
CREATE TRIGGER gold_counts AFTER INSERT ON gold
BEGIN
    INSERT INTO metric_delta (project_id, metric_version_id, validator_version, node, bucket, outcome, human, chance, change)
    SELECT verdict.project_id, metric_version_id, validator_version, node, started_at - started_at % 3600000000, outcome,
        CASE step.change WHEN 1 THEN NEW.passed ELSE -1 END, CASE step.change WHEN 1 THEN NEW.chance ELSE 0 END, step.change
    FROM verdict
    JOIN span ON span.id = verdict.span_id AND span.project_id = verdict.project_id
    CROSS JOIN (SELECT -1 AS change UNION ALL SELECT 1) AS step
    WHERE verdict.project_id = NEW.project_id AND verdict.span_id = NEW.span_id AND verdict.metric_id = NEW.metric_id;
END;

CREATE TRIGGER gold_recounts AFTER UPDATE OF passed, chance ON gold
WHEN NEW.passed <> OLD.passed OR NEW.chance <> OLD.chance
BEGIN
    INSERT INTO metric_delta (project_id, metric_version_id, validator_version, node, bucket, outcome, human, chance, change)
    SELECT verdict.project_id, metric_version_id, validator_version, node, started_at - started_at % 3600000000, outcome,
        CASE step.change WHEN 1 THEN NEW.passed ELSE OLD.passed END, CASE step.change WHEN 1 THEN NEW.chance ELSE OLD.chance END, step.change
    FROM verdict
    JOIN span ON span.id = verdict.span_id AND span.project_id = verdict.project_id
    CROSS JOIN (SELECT -1 AS change UNION ALL SELECT 1) AS step
    WHERE verdict.project_id = NEW.project_id AND verdict.span_id = NEW.span_id AND verdict.metric_id = NEW.metric_id;
END;

CREATE TRIGGER gold_uncounts AFTER DELETE ON gold
BEGIN
    INSERT INTO metric_delta (project_id, metric_version_id, validator_version, node, bucket, outcome, human, chance, change)
    SELECT verdict.project_id, metric_version_id, validator_version, node, started_at - started_at % 3600000000, outcome,
        CASE step.change WHEN 1 THEN -1 ELSE OLD.passed END, CASE step.change WHEN 1 THEN 0 ELSE OLD.chance END, step.change
    FROM verdict
    JOIN span ON span.id = verdict.span_id AND span.project_id = verdict.project_id
    CROSS JOIN (SELECT -1 AS change UNION ALL SELECT 1) AS step
    WHERE verdict.project_id = OLD.project_id AND verdict.span_id = OLD.span_id AND verdict.metric_id = OLD.metric_id;
END;

-- Gold is what people said of a pair: whoever adjudicated, else the majority of their newest blind labels, else the newest one.
CREATE TRIGGER label_appears AFTER INSERT ON label
BEGIN
    INSERT INTO gold (project_id, span_id, metric_id, passed, label_id, chance)
    SELECT project_id, span_id, metric_id, passed, id,
        CASE
            WHEN EXISTS (SELECT 1 FROM review_pick AS drawn
                WHERE drawn.project_id = label.project_id AND drawn.span_id = label.span_id AND drawn.metric_id = label.metric_id
                    AND drawn.reason = 'randomaudit'
                    AND (drawn.shown_at IS NOT NULL OR EXISTS (SELECT 1 FROM label AS one
                        WHERE one.project_id = label.project_id AND one.span_id = label.span_id AND one.metric_id = label.metric_id
                            AND one.mode = 'blind' AND one.propensity IS NOT NULL)))
            THEN (SELECT propensity FROM review_pick AS drawn
                WHERE drawn.project_id = label.project_id AND drawn.span_id = label.span_id AND drawn.metric_id = label.metric_id
                    AND drawn.reason = 'randomaudit')
            WHEN EXISTS (SELECT 1 FROM label AS one
                WHERE one.project_id = label.project_id AND one.span_id = label.span_id AND one.metric_id = label.metric_id
                    AND one.mode = 'blind' AND one.propensity IS NOT NULL)
            THEN (SELECT max(propensity) FROM label AS one
                WHERE one.project_id = label.project_id AND one.span_id = label.span_id AND one.metric_id = label.metric_id
                    AND one.mode = 'blind')
            WHEN EXISTS (SELECT 1 FROM review_pick AS pick
                WHERE pick.project_id = label.project_id AND pick.span_id = label.span_id AND pick.metric_id = label.metric_id
                    AND pick.propensity IS NULL AND pick.shown_at IS NOT NULL)
            THEN -1
            ELSE 0
        END
    FROM label
    WHERE project_id = NEW.project_id AND span_id = NEW.span_id AND metric_id = NEW.metric_id AND mode = 'blind'
    ORDER BY adjudicates DESC,
        (SELECT count(*) FROM label AS vote
            WHERE vote.project_id = label.project_id AND vote.span_id = label.span_id AND vote.metric_id = label.metric_id
                AND vote.mode = 'blind' AND vote.passed = label.passed AND NOT EXISTS (
                    SELECT 1 FROM label AS later
                    WHERE later.project_id = vote.project_id AND later.span_id = vote.span_id AND later.metric_id = vote.metric_id
                        AND later.mode = 'blind' AND later.author = vote.author
                        AND (later.created_at, later.id) > (vote.created_at, vote.id))) DESC,
        created_at DESC, id DESC
    LIMIT 1
    ON CONFLICT (project_id, span_id, metric_id)
        DO UPDATE SET passed = excluded.passed, label_id = excluded.label_id, chance = excluded.chance;
    INSERT INTO demonstration (
        project_id, id, purpose, target, input, output, reason, disagreement, end_user, span_id, author, created_at, source_label)
    SELECT NEW.project_id, substr(NEW.id, 1, 14) || '8' || substr(NEW.id, 16), 'judge', metric.name,
        CASE metric_version.subject WHEN 'input' THEN span.input ELSE span.output END,
        CASE NEW.passed WHEN 1 THEN 'pass' ELSE 'fail' END, NEW.critique,
        -- How far the judge's probability of a pass was from the person's answer.
        abs(NEW.passed - coalesce((
            SELECT CASE outcome WHEN 'pass' THEN coalesce(confidence, 1) WHEN 'fail' THEN 1 - coalesce(confidence, 1) END
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
END;

CREATE TRIGGER label_changes AFTER UPDATE OF passed, mode, created_at, propensity, adjudicates, author ON label
BEGIN
    INSERT INTO gold (project_id, span_id, metric_id, passed, label_id, chance)
    SELECT project_id, span_id, metric_id, passed, id,
        CASE
            WHEN EXISTS (SELECT 1 FROM review_pick AS drawn
                WHERE drawn.project_id = label.project_id AND drawn.span_id = label.span_id AND drawn.metric_id = label.metric_id
                    AND drawn.reason = 'randomaudit'
                    AND (drawn.shown_at IS NOT NULL OR EXISTS (SELECT 1 FROM label AS one
                        WHERE one.project_id = label.project_id AND one.span_id = label.span_id AND one.metric_id = label.metric_id
                            AND one.mode = 'blind' AND one.propensity IS NOT NULL)))
            THEN (SELECT propensity FROM review_pick AS drawn
                WHERE drawn.project_id = label.project_id AND drawn.span_id = label.span_id AND drawn.metric_id = label.metric_id
                    AND drawn.reason = 'randomaudit')
            WHEN EXISTS (SELECT 1 FROM label AS one
                WHERE one.project_id = label.project_id AND one.span_id = label.span_id AND one.metric_id = label.metric_id
                    AND one.mode = 'blind' AND one.propensity IS NOT NULL)
            THEN (SELECT max(propensity) FROM label AS one
                WHERE one.project_id = label.project_id AND one.span_id = label.span_id AND one.metric_id = label.metric_id
                    AND one.mode = 'blind')
            WHEN EXISTS (SELECT 1 FROM review_pick AS pick
                WHERE pick.project_id = label.project_id AND pick.span_id = label.span_id AND pick.metric_id = label.metric_id
                    AND pick.propensity IS NULL AND pick.shown_at IS NOT NULL)
            THEN -1
            ELSE 0
        END
    FROM label
    WHERE project_id = NEW.project_id AND span_id = NEW.span_id AND metric_id = NEW.metric_id AND mode = 'blind'
    ORDER BY adjudicates DESC,
        (SELECT count(*) FROM label AS vote
            WHERE vote.project_id = label.project_id AND vote.span_id = label.span_id AND vote.metric_id = label.metric_id
                AND vote.mode = 'blind' AND vote.passed = label.passed AND NOT EXISTS (
                    SELECT 1 FROM label AS later
                    WHERE later.project_id = vote.project_id AND later.span_id = vote.span_id AND later.metric_id = vote.metric_id
                        AND later.mode = 'blind' AND later.author = vote.author
                        AND (later.created_at, later.id) > (vote.created_at, vote.id))) DESC,
        created_at DESC, id DESC
    LIMIT 1
    ON CONFLICT (project_id, span_id, metric_id)
        DO UPDATE SET passed = excluded.passed, label_id = excluded.label_id, chance = excluded.chance;
    DELETE FROM gold
    WHERE project_id = NEW.project_id AND span_id = NEW.span_id AND metric_id = NEW.metric_id
        AND NOT EXISTS (
            SELECT 1 FROM label
            WHERE project_id = NEW.project_id AND span_id = NEW.span_id AND metric_id = NEW.metric_id AND mode = 'blind');
END;

CREATE TRIGGER label_goes AFTER DELETE ON label
BEGIN
    DELETE FROM demonstration WHERE project_id = OLD.project_id AND source_label = OLD.id;
    INSERT INTO gold (project_id, span_id, metric_id, passed, label_id, chance)
    SELECT project_id, span_id, metric_id, passed, id,
        CASE
            WHEN EXISTS (SELECT 1 FROM review_pick AS drawn
                WHERE drawn.project_id = label.project_id AND drawn.span_id = label.span_id AND drawn.metric_id = label.metric_id
                    AND drawn.reason = 'randomaudit'
                    AND (drawn.shown_at IS NOT NULL OR EXISTS (SELECT 1 FROM label AS one
                        WHERE one.project_id = label.project_id AND one.span_id = label.span_id AND one.metric_id = label.metric_id
                            AND one.mode = 'blind' AND one.propensity IS NOT NULL)))
            THEN (SELECT propensity FROM review_pick AS drawn
                WHERE drawn.project_id = label.project_id AND drawn.span_id = label.span_id AND drawn.metric_id = label.metric_id
                    AND drawn.reason = 'randomaudit')
            WHEN EXISTS (SELECT 1 FROM label AS one
                WHERE one.project_id = label.project_id AND one.span_id = label.span_id AND one.metric_id = label.metric_id
                    AND one.mode = 'blind' AND one.propensity IS NOT NULL)
            THEN (SELECT max(propensity) FROM label AS one
                WHERE one.project_id = label.project_id AND one.span_id = label.span_id AND one.metric_id = label.metric_id
                    AND one.mode = 'blind')
            WHEN EXISTS (SELECT 1 FROM review_pick AS pick
                WHERE pick.project_id = label.project_id AND pick.span_id = label.span_id AND pick.metric_id = label.metric_id
                    AND pick.propensity IS NULL AND pick.shown_at IS NOT NULL)
            THEN -1
            ELSE 0
        END
    FROM label
    WHERE project_id = OLD.project_id AND span_id = OLD.span_id AND metric_id = OLD.metric_id AND mode = 'blind'
    ORDER BY adjudicates DESC,
        (SELECT count(*) FROM label AS vote
            WHERE vote.project_id = label.project_id AND vote.span_id = label.span_id AND vote.metric_id = label.metric_id
                AND vote.mode = 'blind' AND vote.passed = label.passed AND NOT EXISTS (
                    SELECT 1 FROM label AS later
                    WHERE later.project_id = vote.project_id AND later.span_id = vote.span_id AND later.metric_id = vote.metric_id
                        AND later.mode = 'blind' AND later.author = vote.author
                        AND (later.created_at, later.id) > (vote.created_at, vote.id))) DESC,
        created_at DESC, id DESC
    LIMIT 1
    ON CONFLICT (project_id, span_id, metric_id)
        DO UPDATE SET passed = excluded.passed, label_id = excluded.label_id, chance = excluded.chance;
    DELETE FROM gold
    WHERE project_id = OLD.project_id AND span_id = OLD.span_id AND metric_id = OLD.metric_id
        AND NOT EXISTS (
            SELECT 1 FROM label
            WHERE project_id = OLD.project_id AND span_id = OLD.span_id AND metric_id = OLD.metric_id AND mode = 'blind');
END;

CREATE TRIGGER correction_frees AFTER INSERT ON correction
BEGIN
    DELETE FROM review_reservation
    WHERE project_id = NEW.project_id AND span_id = NEW.span_id AND metric_id = 0 AND author = NEW.author;
END;

-- A drawn pair's chance is known better once the planner considered it; a label of it that answered another pick counts, too.
CREATE TRIGGER draw_appears AFTER INSERT ON review_pick
WHEN NEW.reason = 'randomaudit'
BEGIN
    UPDATE gold SET chance = NEW.propensity
    WHERE project_id = NEW.project_id AND span_id = NEW.span_id AND metric_id = NEW.metric_id AND chance <> 0;
END;

CREATE TRIGGER draw_changes AFTER UPDATE OF propensity ON review_pick
WHEN NEW.reason = 'randomaudit' AND NEW.propensity <> OLD.propensity
BEGIN
    UPDATE gold SET chance = NEW.propensity
    WHERE project_id = NEW.project_id AND span_id = NEW.span_id AND metric_id = NEW.metric_id AND chance <> 0;
END;

CREATE TRIGGER span_leaves_reservations BEFORE DELETE ON span
BEGIN
    DELETE FROM review_reservation WHERE project_id = OLD.project_id AND span_id = OLD.id;
END;

-- Labels that came with the chance of their draw count by it from now on.
UPDATE gold
SET chance = (SELECT label.propensity FROM label WHERE label.project_id = gold.project_id AND label.id = gold.label_id)
WHERE (SELECT label.propensity FROM label WHERE label.project_id = gold.project_id AND label.id = gold.label_id) IS NOT NULL;

DROP VIEW review_item;
DROP VIEW review_open_pick;
DROP VIEW review_verdict;
DROP VIEW review_disagreement;

-- People and validator disagree: a single blind label contradicts the newest verdict; a second label settles it.
CREATE VIEW review_disagreement AS
SELECT label.project_id, label.span_id, label.metric_id, metric.name AS metric,
    'a person said ' || CASE label.passed WHEN 1 THEN 'pass' ELSE 'fail' END || ', the validator ' || verdict.outcome AS detail,
    label.propensity, label.created_at AS since
FROM label
JOIN metric ON metric.id = label.metric_id AND metric.project_id = label.project_id AND metric.state = 'active'
JOIN verdict ON verdict.project_id = label.project_id AND verdict.span_id = label.span_id AND verdict.metric_id = label.metric_id
WHERE label.mode = 'blind' AND verdict.outcome = CASE label.passed WHEN 1 THEN 'fail' ELSE 'pass' END
    AND (
        SELECT count(*) FROM verdict AS newer
        WHERE newer.project_id = verdict.project_id AND newer.span_id = verdict.span_id AND newer.metric_id = verdict.metric_id
            AND (newer.created_at, newer.metric_version_id, newer.validator_version)
                > (verdict.created_at, verdict.metric_version_id, verdict.validator_version)) = 0
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
    NULL AS propensity, label.created_at AS since
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
            AND (newer.created_at, newer.metric_version_id, newer.validator_version)
                > (verdict.created_at, verdict.metric_version_id, verdict.validator_version)) = 0
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
