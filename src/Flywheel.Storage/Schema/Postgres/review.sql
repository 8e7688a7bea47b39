CREATE FUNCTION correction_frees() RETURNS trigger LANGUAGE plpgsql
AS $$
BEGIN
    DELETE FROM review_reservation
    WHERE project_id = NEW.project_id AND span_id = NEW.span_id AND metric_id = 0 AND author = NEW.author;
    RETURN NULL;
END
$$;

CREATE TRIGGER correction_frees AFTER INSERT ON correction
FOR EACH ROW EXECUTE FUNCTION correction_frees();

-- A draw tells gold its chance, also when the label answered another pick of the pair. A label given unasked (0) stays so. The
-- span's row is held against a label that comes meanwhile.
CREATE FUNCTION draw_tells_gold() RETURNS trigger LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM 1 FROM span WHERE project_id = NEW.project_id AND id = NEW.span_id FOR KEY SHARE;
    UPDATE gold SET chance = NEW.propensity
    WHERE project_id = NEW.project_id AND span_id = NEW.span_id AND metric_id = NEW.metric_id AND chance <> 0
        AND chance <> NEW.propensity;
    RETURN NULL;
END
$$;

CREATE TRIGGER draw_tells_gold AFTER INSERT OR UPDATE ON review_pick
FOR EACH ROW WHEN (NEW.reason = 'randomaudit') EXECUTE FUNCTION draw_tells_gold();
