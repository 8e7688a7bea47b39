-- Counts and samples were made from these columns.
CREATE TRIGGER span_keeps BEFORE UPDATE OF id, project_id, trace_id, span_id, parent_id, node, kind, started_at ON span
WHEN (NEW.id, NEW.project_id, NEW.trace_id, NEW.span_id, NEW.node, NEW.kind, NEW.started_at)
    <> (OLD.id, OLD.project_id, OLD.trace_id, OLD.span_id, OLD.node, OLD.kind, OLD.started_at)
    OR NEW.parent_id IS NOT OLD.parent_id
BEGIN
    SELECT RAISE(ABORT, 'a span keeps its project, ids, node, kind and start');
END;

-- All rows of a span are deleted with it, while it still stands: the counts need its node and hour.
CREATE TRIGGER span_goes BEFORE DELETE ON span
BEGIN
    DELETE FROM fan_out WHERE span_id = OLD.id;
    DELETE FROM job WHERE span_id = OLD.id;
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
END;
