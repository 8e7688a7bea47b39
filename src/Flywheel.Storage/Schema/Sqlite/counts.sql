-- Each change of a verdict or of gold appends what it changes of the counts.

CREATE TRIGGER verdict_counts AFTER INSERT ON verdict
BEGIN
    INSERT INTO metric_delta (project_id, metric_version_id, validator_version, node, bucket, outcome, human, chance, change)
    SELECT NEW.project_id, NEW.metric_version_id, NEW.validator_version, node, started_at - started_at % 3600000000, NEW.outcome,
        coalesce(gold.passed, -1), coalesce(gold.chance, 0), 1
    FROM span
    LEFT JOIN gold ON gold.project_id = NEW.project_id AND gold.span_id = NEW.span_id AND gold.metric_id = NEW.metric_id
    WHERE span.id = NEW.span_id AND span.project_id = NEW.project_id AND span.revision = NEW.revision;
END;

CREATE TRIGGER verdict_recounts AFTER UPDATE OF outcome ON verdict
WHEN NEW.outcome <> OLD.outcome
BEGIN
    INSERT INTO metric_delta (project_id, metric_version_id, validator_version, node, bucket, outcome, human, chance, change)
    SELECT NEW.project_id, NEW.metric_version_id, NEW.validator_version, node, started_at - started_at % 3600000000,
        CASE step.change WHEN 1 THEN NEW.outcome ELSE OLD.outcome END, coalesce(gold.passed, -1), coalesce(gold.chance, 0), step.change
    FROM span
    CROSS JOIN (SELECT -1 AS change UNION ALL SELECT 1) AS step
    LEFT JOIN gold ON gold.project_id = NEW.project_id AND gold.span_id = NEW.span_id AND gold.metric_id = NEW.metric_id
    WHERE span.id = NEW.span_id AND span.project_id = NEW.project_id AND span.revision = NEW.revision;
END;

CREATE TRIGGER verdict_uncounts AFTER DELETE ON verdict
BEGIN
    INSERT INTO metric_delta (project_id, metric_version_id, validator_version, node, bucket, outcome, human, chance, change)
    SELECT OLD.project_id, OLD.metric_version_id, OLD.validator_version, node, started_at - started_at % 3600000000, OLD.outcome,
        coalesce(gold.passed, -1), coalesce(gold.chance, 0), -1
    FROM span
    LEFT JOIN gold ON gold.project_id = OLD.project_id AND gold.span_id = OLD.span_id AND gold.metric_id = OLD.metric_id
    WHERE span.id = OLD.span_id AND span.project_id = OLD.project_id AND span.revision = OLD.revision;
END;

-- A blind label moves the verdicts of its span and metric from one cell to another.
CREATE TRIGGER gold_counts AFTER INSERT ON gold
BEGIN
    INSERT INTO metric_delta (project_id, metric_version_id, validator_version, node, bucket, outcome, human, chance, change)
    SELECT verdict.project_id, metric_version_id, validator_version, node, started_at - started_at % 3600000000, outcome,
        CASE step.change WHEN 1 THEN NEW.passed ELSE -1 END, CASE step.change WHEN 1 THEN NEW.chance ELSE 0 END, step.change
    FROM verdict
    JOIN span ON span.id = verdict.span_id AND span.project_id = verdict.project_id AND span.revision = verdict.revision
    CROSS JOIN (SELECT -1 AS change UNION ALL SELECT 1) AS step
    WHERE verdict.project_id = NEW.project_id AND verdict.span_id = NEW.span_id AND verdict.metric_id = NEW.metric_id;
END;

CREATE TRIGGER gold_recounts AFTER UPDATE OF passed, chance ON gold
WHEN NEW.passed <> OLD.passed OR NEW.chance <> OLD.chance
BEGIN
    INSERT INTO metric_delta (project_id, metric_version_id, validator_version, node, bucket, outcome, human, chance, change)
    SELECT verdict.project_id, metric_version_id, validator_version, node, started_at - started_at % 3600000000, outcome,
        CASE step.change WHEN 1 THEN NEW.passed ELSE OLD.passed END,
        CASE step.change WHEN 1 THEN NEW.chance ELSE OLD.chance END, step.change
    FROM verdict
    JOIN span ON span.id = verdict.span_id AND span.project_id = verdict.project_id AND span.revision = verdict.revision
    CROSS JOIN (SELECT -1 AS change UNION ALL SELECT 1) AS step
    WHERE verdict.project_id = NEW.project_id AND verdict.span_id = NEW.span_id AND verdict.metric_id = NEW.metric_id;
END;

CREATE TRIGGER gold_uncounts AFTER DELETE ON gold
BEGIN
    INSERT INTO metric_delta (project_id, metric_version_id, validator_version, node, bucket, outcome, human, chance, change)
    SELECT verdict.project_id, metric_version_id, validator_version, node, started_at - started_at % 3600000000, outcome,
        CASE step.change WHEN 1 THEN -1 ELSE OLD.passed END, CASE step.change WHEN 1 THEN 0 ELSE OLD.chance END, step.change
    FROM verdict
    JOIN span ON span.id = verdict.span_id AND span.project_id = verdict.project_id AND span.revision = verdict.revision
    CROSS JOIN (SELECT -1 AS change UNION ALL SELECT 1) AS step
    WHERE verdict.project_id = OLD.project_id AND verdict.span_id = OLD.span_id AND verdict.metric_id = OLD.metric_id;
END;

-- A new text: verdicts of the one before no longer count, and those of the new one do.
CREATE TRIGGER span_revises AFTER UPDATE OF revision ON span
WHEN NEW.revision <> OLD.revision
BEGIN
    INSERT INTO metric_delta (project_id, metric_version_id, validator_version, node, bucket, outcome, human, chance, change)
    SELECT verdict.project_id, metric_version_id, validator_version, NEW.node, NEW.started_at - NEW.started_at % 3600000000, outcome,
        coalesce(gold.passed, -1), coalesce(gold.chance, 0), CASE verdict.revision WHEN NEW.revision THEN 1 ELSE -1 END
    FROM verdict
    LEFT JOIN gold ON gold.project_id = verdict.project_id AND gold.span_id = verdict.span_id AND gold.metric_id = verdict.metric_id
    WHERE verdict.project_id = NEW.project_id AND verdict.span_id = NEW.id AND verdict.revision IN (OLD.revision, NEW.revision);
END;
