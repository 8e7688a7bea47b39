CREATE TRIGGER metric_version_keeps BEFORE UPDATE ON metric_version
BEGIN
    SELECT RAISE(ABORT, 'a metric version is never edited: add a version');
END;
