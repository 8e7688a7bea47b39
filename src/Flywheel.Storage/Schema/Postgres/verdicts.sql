CREATE TRIGGER verdict_keeps
BEFORE UPDATE OF project_id, span_id, metric_version_id, revision, validator_version, metric_id ON verdict
FOR EACH ROW
WHEN ((NEW.project_id, NEW.span_id, NEW.metric_version_id, NEW.revision, NEW.validator_version, NEW.metric_id)
    IS DISTINCT FROM (OLD.project_id, OLD.span_id, OLD.metric_version_id, OLD.revision, OLD.validator_version, OLD.metric_id))
EXECUTE FUNCTION flywheel_refuse('a verdict keeps its span, revision, metric and validator');
