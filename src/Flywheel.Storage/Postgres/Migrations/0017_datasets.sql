-- Data sets: examples with what is expected of each, for evaluations. Versions share their items, so a version that adds ten to a
-- hundred thousand costs ten rows.
CREATE TABLE dataset (
    project_id BIGINT NOT NULL REFERENCES project (id),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    description TEXT,
    next_ordinal BIGINT NOT NULL DEFAULT 1, -- never given twice, not even after an erasure
    author TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, name)
);

-- The items of a data set at one time, numbered from 1. content_hash = SHA-256 over the sorted hashes of its items.
CREATE TABLE dataset_version (
    project_id BIGINT NOT NULL,
    dataset TEXT NOT NULL,
    number INTEGER NOT NULL CHECK (number >= 1),
    items BIGINT NOT NULL CHECK (items >= 0),
    content_hash TEXT NOT NULL,
    added BIGINT NOT NULL,
    removed BIGINT NOT NULL,
    erased BIGINT NOT NULL DEFAULT 0,
    note TEXT,
    author TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, dataset, number),
    FOREIGN KEY (project_id, dataset) REFERENCES dataset (project_id, name)
);

CREATE FUNCTION dataset_version_keeps() RETURNS trigger LANGUAGE plpgsql
AS $$
BEGIN
    RAISE EXCEPTION 'a version of a data set is never edited: add items, or remove them, for the next version';
END
$$;

-- Only the erasure of a person takes something out of a version.
CREATE TRIGGER dataset_version_keeps BEFORE UPDATE ON dataset_version
FOR EACH ROW
WHEN ((NEW.project_id, NEW.dataset, NEW.number, NEW.added, NEW.removed, NEW.author, NEW.created_at)
    <> (OLD.project_id, OLD.dataset, OLD.number, OLD.added, OLD.removed, OLD.author, OLD.created_at)
    OR NEW.note IS DISTINCT FROM OLD.note OR NEW.erased <= OLD.erased)
EXECUTE FUNCTION dataset_version_keeps();

-- One example. A version has it when added_in <= its number < removed_in.
CREATE TABLE dataset_item (
    project_id BIGINT NOT NULL,
    dataset TEXT NOT NULL,
    ordinal BIGINT NOT NULL CHECK (ordinal >= 1),
    content_hash TEXT NOT NULL,
    input TEXT NOT NULL,
    expected TEXT,
    attributes TEXT CHECK (attributes IS NULL OR attributes::json IS NOT NULL),
    split TEXT,
    trace_id TEXT,
    span_id TEXT,
    end_user TEXT,
    added_in INTEGER NOT NULL,
    removed_in INTEGER CHECK (removed_in > added_in),
    PRIMARY KEY (project_id, dataset, ordinal),
    FOREIGN KEY (project_id, dataset) REFERENCES dataset (project_id, name)
);

-- The newest version has each content once.
CREATE UNIQUE INDEX dataset_item_by_content ON dataset_item (project_id, dataset, content_hash) WHERE removed_in IS NULL;
CREATE INDEX dataset_item_by_trace ON dataset_item (project_id, trace_id) WHERE trace_id IS NOT NULL;
CREATE INDEX dataset_item_by_user ON dataset_item (project_id, end_user) WHERE end_user IS NOT NULL;

CREATE FUNCTION dataset_item_keeps() RETURNS trigger LANGUAGE plpgsql
AS $$
BEGIN
    RAISE EXCEPTION 'an item of a data set is never edited: remove it and add another';
END
$$;

CREATE TRIGGER dataset_item_keeps BEFORE UPDATE ON dataset_item
FOR EACH ROW
WHEN ((NEW.project_id, NEW.dataset, NEW.ordinal, NEW.content_hash, NEW.input, NEW.added_in)
    <> (OLD.project_id, OLD.dataset, OLD.ordinal, OLD.content_hash, OLD.input, OLD.added_in)
    OR NEW.expected IS DISTINCT FROM OLD.expected OR NEW.attributes IS DISTINCT FROM OLD.attributes OR NEW.split IS DISTINCT FROM OLD.split
    OR NEW.trace_id IS DISTINCT FROM OLD.trace_id OR NEW.span_id IS DISTINCT FROM OLD.span_id OR NEW.end_user IS DISTINCT FROM OLD.end_user
    OR OLD.removed_in IS NOT NULL)
EXECUTE FUNCTION dataset_item_keeps();
