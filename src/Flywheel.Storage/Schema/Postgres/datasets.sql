CREATE TRIGGER dataset_version_keeps BEFORE UPDATE ON dataset_version
FOR EACH ROW
WHEN ((NEW.project_id, NEW.dataset, NEW.number, NEW.added, NEW.removed, NEW.author, NEW.created_at)
    <> (OLD.project_id, OLD.dataset, OLD.number, OLD.added, OLD.removed, OLD.author, OLD.created_at)
    OR NEW.note IS DISTINCT FROM OLD.note OR NEW.erased <= OLD.erased)
EXECUTE FUNCTION flywheel_refuse('a version of a data set is never edited: add items, or remove them, for the next version');

CREATE TRIGGER dataset_item_keeps BEFORE UPDATE ON dataset_item
FOR EACH ROW
WHEN ((NEW.project_id, NEW.dataset, NEW.ordinal, NEW.content_hash, NEW.input, NEW.added_in)
    <> (OLD.project_id, OLD.dataset, OLD.ordinal, OLD.content_hash, OLD.input, OLD.added_in)
    OR NEW.expected IS DISTINCT FROM OLD.expected OR NEW.attributes IS DISTINCT FROM OLD.attributes OR NEW.split IS DISTINCT FROM OLD.split
    OR NEW.trace_id IS DISTINCT FROM OLD.trace_id OR NEW.span_id IS DISTINCT FROM OLD.span_id OR NEW.end_user IS DISTINCT FROM OLD.end_user
    OR OLD.removed_in IS NOT NULL)
EXECUTE FUNCTION flywheel_refuse('an item of a data set is never edited: remove it and add another');
