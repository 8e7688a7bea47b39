-- Before a label is added, changed or deleted, its span's row is held; see functions.sql.
CREATE FUNCTION label_holds() RETURNS trigger LANGUAGE plpgsql
AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        PERFORM 1 FROM span WHERE project_id = OLD.project_id AND id = OLD.span_id FOR UPDATE;
        RETURN OLD;
    END IF;
    PERFORM 1 FROM span WHERE project_id = NEW.project_id AND id = NEW.span_id FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'project % has no span %', NEW.project_id, NEW.span_id USING ERRCODE = 'foreign_key_violation';
    END IF;
    IF TG_OP = 'UPDATE' AND (NEW.project_id, NEW.id, NEW.span_id, NEW.metric_id)
        IS DISTINCT FROM (OLD.project_id, OLD.id, OLD.span_id, OLD.metric_id) THEN
        RAISE EXCEPTION 'a label keeps its id, span and metric';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER label_holds BEFORE INSERT OR UPDATE OR DELETE ON label
FOR EACH ROW EXECUTE FUNCTION label_holds();

-- Keeps gold of one pair equal to gold_recomputed.
CREATE FUNCTION label_keeps_gold(project BIGINT, span BIGINT, metric BIGINT) RETURNS void LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO gold (project_id, span_id, metric_id, passed, label_id, chance)
    SELECT project_id, span_id, metric_id, passed, label_id, chance
    FROM gold_recomputed
    WHERE project_id = project AND span_id = span AND metric_id = metric
    ON CONFLICT (project_id, span_id, metric_id)
        DO UPDATE SET passed = excluded.passed, label_id = excluded.label_id, chance = excluded.chance;
    IF NOT FOUND THEN
        DELETE FROM gold WHERE project_id = project AND span_id = span AND metric_id = metric;
    END IF;
END
$$;

-- A label makes a demonstration for the judges of its metric unless the person only accepted a suggestion. The demonstration has
-- the label's id as a UUID of version 8, since a correction may have the same id.
CREATE FUNCTION label_appears() RETURNS trigger LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM label_keeps_gold(NEW.project_id, NEW.span_id, NEW.metric_id);

    INSERT INTO demonstration (
        project_id, id, purpose, target, input, output, reason, disagreement, end_user, span_id, author, created_at, source_label)
    SELECT NEW.project_id, substr(NEW.id, 1, 14) || '8' || substr(NEW.id, 16), 'judge', metric.name,
        CASE metric_version.subject WHEN 'input' THEN span.input ELSE span.output END,
        CASE NEW.passed WHEN 1 THEN 'pass' ELSE 'fail' END, NEW.critique,
        -- How far the judge's probability of a pass, by the best confidence known, was from the person's answer.
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
        AND NEW.passed IS NOT NULL
        AND CASE metric_version.subject WHEN 'input' THEN span.input ELSE span.output END IS NOT NULL;

    -- A label that decides between people recalls the examples that say otherwise.
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

CREATE TRIGGER label_appears AFTER INSERT ON label
FOR EACH ROW EXECUTE FUNCTION label_appears();

CREATE FUNCTION label_changes() RETURNS trigger LANGUAGE plpgsql
AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        DELETE FROM demonstration WHERE project_id = OLD.project_id AND source_label = OLD.id;
    END IF;
    PERFORM label_keeps_gold(OLD.project_id, OLD.span_id, OLD.metric_id);
    RETURN NULL;
END
$$;

CREATE TRIGGER label_changes AFTER UPDATE OR DELETE ON label
FOR EACH ROW EXECUTE FUNCTION label_changes();
