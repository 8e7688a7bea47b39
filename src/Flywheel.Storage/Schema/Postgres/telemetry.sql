-- Verdicts of projects that send theirs to another system wait in verdict_outbox.
CREATE FUNCTION verdict_is_sent() RETURNS trigger LANGUAGE plpgsql
AS $$
BEGIN
    IF (SELECT enabled FROM evaluation_export WHERE project_id = NEW.project_id) = 1 THEN
        INSERT INTO verdict_outbox (project_id, span_id, metric_version_id, validator_version, revision)
        VALUES (NEW.project_id, NEW.span_id, NEW.metric_version_id, NEW.validator_version, NEW.revision);
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER verdict_is_sent AFTER INSERT ON verdict
FOR EACH ROW WHEN (NEW.outcome <> 'skipped') EXECUTE FUNCTION verdict_is_sent();

CREATE TRIGGER verdict_is_sent_again AFTER UPDATE OF outcome ON verdict
FOR EACH ROW WHEN (NEW.outcome <> 'skipped' AND (NEW.outcome <> OLD.outcome OR NEW.reason IS DISTINCT FROM OLD.reason))
EXECUTE FUNCTION verdict_is_sent();
