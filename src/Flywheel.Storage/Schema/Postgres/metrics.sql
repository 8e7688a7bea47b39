CREATE TRIGGER metric_version_keeps BEFORE UPDATE ON metric_version
FOR EACH ROW EXECUTE FUNCTION flywheel_refuse('a metric version is never edited: add a version');
