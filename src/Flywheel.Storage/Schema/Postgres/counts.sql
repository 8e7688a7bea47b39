-- Each change of a verdict or of gold appends what it changes of the counts. The triggers on verdict work on whole statements:
-- one round of locks, one grouped insert.
CREATE FUNCTION verdict_counts() RETURNS trigger LANGUAGE plpgsql
AS $$
DECLARE
    wanted BIGINT;
    locked BIGINT;
BEGIN
    SELECT count(*) INTO wanted FROM (SELECT DISTINCT project_id, span_id FROM added) AS spans;
    PERFORM 1 FROM span
    WHERE (project_id, id) IN (SELECT project_id, span_id FROM added)
    ORDER BY project_id, id
    FOR KEY SHARE;
    GET DIAGNOSTICS locked = ROW_COUNT;
    IF locked <> wanted THEN
        RAISE EXCEPTION 'a verdict names a span that its project does not have' USING ERRCODE = 'foreign_key_violation';
    END IF;

    INSERT INTO metric_delta (project_id, metric_version_id, validator_version, node, bucket, outcome, human, chance, change)
    SELECT added.project_id, added.metric_version_id, added.validator_version, span.node,
        span.started_at - span.started_at % 3600000000, added.outcome, coalesce(gold.passed, -1), coalesce(gold.chance, 0), count(*)
    FROM added
    JOIN span ON span.project_id = added.project_id AND span.id = added.span_id AND span.revision = added.revision
    LEFT JOIN gold ON gold.project_id = added.project_id AND gold.span_id = added.span_id AND gold.metric_id = added.metric_id
    GROUP BY added.project_id, added.metric_version_id, added.validator_version, span.node,
        span.started_at - span.started_at % 3600000000, added.outcome, coalesce(gold.passed, -1), coalesce(gold.chance, 0);
    RETURN NULL;
END
$$;

CREATE TRIGGER verdict_counts AFTER INSERT ON verdict
REFERENCING NEW TABLE AS added
FOR EACH STATEMENT EXECUTE FUNCTION verdict_counts();

CREATE FUNCTION verdict_recounts() RETURNS trigger LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM 1 FROM span
    WHERE (project_id, id) IN (SELECT project_id, span_id FROM added)
    ORDER BY project_id, id
    FOR KEY SHARE;

    INSERT INTO metric_delta (project_id, metric_version_id, validator_version, node, bucket, outcome, human, chance, change)
    SELECT part.project_id, part.metric_version_id, part.validator_version, span.node,
        span.started_at - span.started_at % 3600000000, part.outcome, coalesce(gold.passed, -1), coalesce(gold.chance, 0), sum(part.change)
    FROM (
        SELECT project_id, span_id, metric_id, metric_version_id, validator_version, revision, outcome, -1 AS change FROM removed
        UNION ALL
        SELECT project_id, span_id, metric_id, metric_version_id, validator_version, revision, outcome, 1 FROM added) AS part
    JOIN span ON span.project_id = part.project_id AND span.id = part.span_id AND span.revision = part.revision
    LEFT JOIN gold ON gold.project_id = part.project_id AND gold.span_id = part.span_id AND gold.metric_id = part.metric_id
    GROUP BY part.project_id, part.metric_version_id, part.validator_version, span.node,
        span.started_at - span.started_at % 3600000000, part.outcome, coalesce(gold.passed, -1), coalesce(gold.chance, 0)
    HAVING sum(part.change) <> 0;
    RETURN NULL;
END
$$;

CREATE TRIGGER verdict_recounts AFTER UPDATE ON verdict
REFERENCING OLD TABLE AS removed NEW TABLE AS added
FOR EACH STATEMENT EXECUTE FUNCTION verdict_recounts();

CREATE FUNCTION verdict_uncounts() RETURNS trigger LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM 1 FROM span
    WHERE (project_id, id) IN (SELECT project_id, span_id FROM removed)
    ORDER BY project_id, id
    FOR KEY SHARE;

    INSERT INTO metric_delta (project_id, metric_version_id, validator_version, node, bucket, outcome, human, chance, change)
    SELECT removed.project_id, removed.metric_version_id, removed.validator_version, span.node,
        span.started_at - span.started_at % 3600000000, removed.outcome, coalesce(gold.passed, -1), coalesce(gold.chance, 0), -count(*)
    FROM removed
    JOIN span ON span.project_id = removed.project_id AND span.id = removed.span_id AND span.revision = removed.revision
    LEFT JOIN gold ON gold.project_id = removed.project_id AND gold.span_id = removed.span_id AND gold.metric_id = removed.metric_id
    GROUP BY removed.project_id, removed.metric_version_id, removed.validator_version, span.node,
        span.started_at - span.started_at % 3600000000, removed.outcome, coalesce(gold.passed, -1), coalesce(gold.chance, 0);
    RETURN NULL;
END
$$;

CREATE TRIGGER verdict_uncounts AFTER DELETE ON verdict
REFERENCING OLD TABLE AS removed
FOR EACH STATEMENT EXECUTE FUNCTION verdict_uncounts();

-- A blind label moves the verdicts of its span and metric from one cell to another. The label's trigger holds the span's row.
CREATE FUNCTION gold_moves() RETURNS trigger LANGUAGE plpgsql
AS $$
DECLARE
    was SMALLINT := -1;
    becomes SMALLINT := -1;
    was_chance DOUBLE PRECISION := 0;
    becomes_chance DOUBLE PRECISION := 0;
    place gold;
BEGIN
    IF TG_OP <> 'INSERT' THEN
        was := OLD.passed;
        was_chance := OLD.chance;
        place := OLD;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        becomes := NEW.passed;
        becomes_chance := NEW.chance;
        place := NEW;
    END IF;
    IF was = becomes AND was_chance = becomes_chance THEN
        RETURN NULL;
    END IF;

    INSERT INTO metric_delta (project_id, metric_version_id, validator_version, node, bucket, outcome, human, chance, change)
    SELECT verdict.project_id, verdict.metric_version_id, verdict.validator_version, span.node,
        span.started_at - span.started_at % 3600000000, verdict.outcome, step.human, step.chance, step.change
    FROM verdict
    JOIN span ON span.project_id = verdict.project_id AND span.id = verdict.span_id AND span.revision = verdict.revision
    CROSS JOIN (VALUES (was, was_chance, -1), (becomes, becomes_chance, 1)) AS step (human, chance, change)
    WHERE verdict.project_id = place.project_id AND verdict.span_id = place.span_id AND verdict.metric_id = place.metric_id;
    RETURN NULL;
END
$$;

CREATE TRIGGER gold_moves AFTER INSERT OR UPDATE OR DELETE ON gold
FOR EACH ROW EXECUTE FUNCTION gold_moves();

-- A new text: verdicts of the one before no longer count, and those of the new one do. Verdicts hold the span FOR KEY SHARE, which
-- an update of its texts does not wait for: so the row is locked against them before they are read.
CREATE FUNCTION span_revises() RETURNS trigger LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM 1 FROM span WHERE project_id = NEW.project_id AND id = NEW.id FOR UPDATE;

    INSERT INTO metric_delta (project_id, metric_version_id, validator_version, node, bucket, outcome, human, chance, change)
    SELECT verdict.project_id, metric_version_id, validator_version, NEW.node, NEW.started_at - NEW.started_at % 3600000000, outcome,
        coalesce(gold.passed, -1), coalesce(gold.chance, 0), CASE verdict.revision WHEN NEW.revision THEN 1 ELSE -1 END
    FROM verdict
    LEFT JOIN gold ON gold.project_id = verdict.project_id AND gold.span_id = verdict.span_id AND gold.metric_id = verdict.metric_id
    WHERE verdict.project_id = NEW.project_id AND verdict.span_id = NEW.id AND verdict.revision IN (OLD.revision, NEW.revision);
    RETURN NULL;
END
$$;

CREATE TRIGGER span_revises AFTER UPDATE OF revision ON span
FOR EACH ROW WHEN (NEW.revision <> OLD.revision) EXECUTE FUNCTION span_revises();
