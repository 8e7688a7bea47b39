CREATE TRIGGER dataset_version_keeps BEFORE UPDATE ON dataset_version
WHEN (NEW.project_id, NEW.dataset, NEW.number, NEW.added, NEW.removed, NEW.author, NEW.created_at)
    <> (OLD.project_id, OLD.dataset, OLD.number, OLD.added, OLD.removed, OLD.author, OLD.created_at)
    OR NEW.note IS NOT OLD.note OR NEW.erased <= OLD.erased
BEGIN
    SELECT RAISE(ABORT, 'a version of a data set is never edited: add items, or remove them, for the next version');
END;

CREATE TRIGGER dataset_item_keeps BEFORE UPDATE ON dataset_item
WHEN (NEW.project_id, NEW.dataset, NEW.ordinal, NEW.content_hash, NEW.input, NEW.added_in)
    <> (OLD.project_id, OLD.dataset, OLD.ordinal, OLD.content_hash, OLD.input, OLD.added_in)
    OR NEW.expected IS NOT OLD.expected OR NEW.attributes IS NOT OLD.attributes OR NEW.split IS NOT OLD.split
    OR NEW.trace_id IS NOT OLD.trace_id OR NEW.span_id IS NOT OLD.span_id OR NEW.end_user IS NOT OLD.end_user
    OR OLD.removed_in IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'an item of a data set is never edited: remove it and add another');
END;
