-- The wide columns shrink many times faster with lz4, where this server has it.
DO $$
BEGIN
    ALTER TABLE span ALTER COLUMN input SET COMPRESSION lz4, ALTER COLUMN output SET COMPRESSION lz4,
        ALTER COLUMN attributes SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported OR invalid_parameter_value THEN
    NULL;
END
$$;

-- Counts and samples were made from these columns.
CREATE TRIGGER span_keeps BEFORE UPDATE OF id, project_id, trace_id, span_id, parent_id, node, kind, started_at ON span
FOR EACH ROW
WHEN ((NEW.id, NEW.project_id, NEW.trace_id, NEW.span_id, NEW.parent_id, NEW.node, NEW.kind, NEW.started_at)
    IS DISTINCT FROM (OLD.id, OLD.project_id, OLD.trace_id, OLD.span_id, OLD.parent_id, OLD.node, OLD.kind, OLD.started_at))
EXECUTE FUNCTION flywheel_refuse('a span keeps its project, ids, node, kind and start');

-- All rows of a span are deleted with it, while it still stands: the counts need its node and hour. Its place in fan_out is
-- skipped when its turn comes.
CREATE FUNCTION span_goes() RETURNS trigger LANGUAGE plpgsql
AS $$
BEGIN
    DELETE FROM job WHERE project_id = OLD.project_id AND span_id = OLD.id;
    DELETE FROM verdict WHERE project_id = OLD.project_id AND span_id = OLD.id;
    DELETE FROM label WHERE project_id = OLD.project_id AND span_id = OLD.id;
    DELETE FROM correction WHERE project_id = OLD.project_id AND span_id = OLD.id;
    DELETE FROM proposed_label WHERE project_id = OLD.project_id AND span_id = OLD.id;
    DELETE FROM review_pick WHERE project_id = OLD.project_id AND span_id = OLD.id;
    DELETE FROM review_reservation WHERE project_id = OLD.project_id AND span_id = OLD.id;
    DELETE FROM review_served WHERE project_id = OLD.project_id AND span_id = OLD.id;
    DELETE FROM demonstration WHERE project_id = OLD.project_id AND span_id = OLD.id;
    DELETE FROM span_variant WHERE project_id = OLD.project_id AND span_id = OLD.id;
    DELETE FROM span_segment WHERE project_id = OLD.project_id AND span_id = OLD.id;
    DELETE FROM span_tag WHERE project_id = OLD.project_id AND span_id = OLD.id;
    DELETE FROM trace_completion WHERE project_id = OLD.project_id AND span_id = OLD.id;
    DELETE FROM note WHERE project_id = OLD.project_id AND span_id = OLD.id;
    DELETE FROM judge_reply WHERE project_id = OLD.project_id AND span_id = OLD.id;
    DELETE FROM canary WHERE project_id = OLD.project_id AND span_id = OLD.id;
    DELETE FROM anchor WHERE project_id = OLD.project_id AND span_id = OLD.id;
    DELETE FROM anchor_answer WHERE project_id = OLD.project_id AND span_id = OLD.id;
    DELETE FROM span_text WHERE project_id = OLD.project_id AND trace_id = OLD.trace_id AND span_id = OLD.span_id;
    DELETE FROM span_evaluation WHERE project_id = OLD.project_id AND trace_id = OLD.trace_id AND span_id = OLD.span_id;
    DELETE FROM span_evaluation WHERE project_id = OLD.project_id AND response_id = OLD.response_id;
    RETURN OLD;
END
$$;

CREATE TRIGGER span_goes BEFORE DELETE ON span
FOR EACH ROW EXECUTE FUNCTION span_goes();
