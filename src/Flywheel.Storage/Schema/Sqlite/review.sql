CREATE TRIGGER correction_frees AFTER INSERT ON correction
BEGIN
    DELETE FROM review_reservation
    WHERE project_id = NEW.project_id AND span_id = NEW.span_id AND metric_id = 0 AND author = NEW.author;
END;

-- A draw tells gold its chance, also when the label answered another pick of the pair. A label given unasked (0) stays so.
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
