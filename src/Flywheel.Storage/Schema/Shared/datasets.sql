-- Examples for evaluations, with what is expected of each. Versions share their items: a version that adds ten items to a hundred
-- thousand costs ten rows.

-- A data set by name.
CREATE TABLE dataset (
    project_id {integer} NOT NULL REFERENCES project (id),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    description TEXT,
    next_ordinal {integer} NOT NULL DEFAULT 1, -- never given twice, not even after an erasure
    author TEXT NOT NULL,
    created_at {integer} NOT NULL,
    PRIMARY KEY (project_id, name)
) {clustered};

-- The items of a data set at one time. Never edited (a trigger refuses it), except that the erasure of a person removes items.
CREATE TABLE dataset_version (
    project_id {integer} NOT NULL,
    dataset TEXT NOT NULL,
    number {integer} NOT NULL CHECK (number >= 1), -- from 1 per data set
    items {integer} NOT NULL CHECK (items >= 0),   -- number of items
    content_hash TEXT NOT NULL,     -- SHA-256 over the sorted hashes of its items
    added {integer} NOT NULL,       -- number of items that it added to the version before
    removed {integer} NOT NULL,     -- and removed
    erased {integer} NOT NULL DEFAULT 0, -- number of items that erasures took out of it
    note TEXT,
    author TEXT NOT NULL,
    created_at {integer} NOT NULL,
    PRIMARY KEY (project_id, dataset, number),
    FOREIGN KEY (project_id, dataset) REFERENCES dataset (project_id, name)
) {clustered};

-- One example. A version has it when added_in <= its number < removed_in. Never edited (a trigger refuses it).
CREATE TABLE dataset_item (
    project_id {integer} NOT NULL,
    dataset TEXT NOT NULL,
    ordinal {integer} NOT NULL CHECK (ordinal >= 1),
    content_hash TEXT NOT NULL,     -- SHA-256 of what the item says
    input TEXT NOT NULL,
    expected TEXT,                  -- the right answer, or null
    attributes TEXT CHECK (attributes IS NULL OR json_valid(attributes)),
    split TEXT,                     -- such as train or test
    trace_id TEXT,                  -- the span that it was made of
    span_id TEXT,
    end_user TEXT,
    added_in {integer} NOT NULL,
    removed_in {integer} CHECK (removed_in > added_in), -- null: the newest version has it
    PRIMARY KEY (project_id, dataset, ordinal),
    FOREIGN KEY (project_id, dataset) REFERENCES dataset (project_id, name)
) {strict};

-- The newest version has each content once.
CREATE UNIQUE INDEX dataset_item_by_content ON dataset_item (project_id, dataset, content_hash) WHERE removed_in IS NULL;
CREATE INDEX dataset_item_by_trace ON dataset_item (project_id, trace_id) WHERE trace_id IS NOT NULL;
CREATE INDEX dataset_item_by_user ON dataset_item (project_id, end_user) WHERE end_user IS NOT NULL;
