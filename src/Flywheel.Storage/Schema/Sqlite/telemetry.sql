-- Verdicts of projects that send theirs to another system wait in verdict_outbox.
CREATE TRIGGER verdict_is_sent AFTER INSERT ON verdict
WHEN NEW.outcome <> 'skipped' AND (SELECT enabled FROM evaluation_export WHERE project_id = NEW.project_id) = 1
BEGIN
    INSERT INTO verdict_outbox (project_id, span_id, metric_version_id, validator_version, revision)
    VALUES (NEW.project_id, NEW.span_id, NEW.metric_version_id, NEW.validator_version, NEW.revision);
END;

CREATE TRIGGER verdict_is_sent_again AFTER UPDATE OF outcome ON verdict
WHEN NEW.outcome <> 'skipped' AND (NEW.outcome <> OLD.outcome OR NEW.reason IS NOT OLD.reason)
    AND (SELECT enabled FROM evaluation_export WHERE project_id = NEW.project_id) = 1
BEGIN
    INSERT INTO verdict_outbox (project_id, span_id, metric_version_id, validator_version, revision)
    VALUES (NEW.project_id, NEW.span_id, NEW.metric_version_id, NEW.validator_version, NEW.revision);
END;
