-- Examples for prompts, and how they are found.

-- A few-shot example. Triggers make one of a correction (task) or label (judge); others are imported. Only approved ones reach a
-- prompt.
CREATE TABLE demonstration (
    project_id {integer} NOT NULL REFERENCES project (id),
    id TEXT NOT NULL CHECK (length(id) = 36),
    purpose TEXT NOT NULL CHECK (purpose IN ('task', 'judge')),
    target TEXT NOT NULL,           -- the node (task) or the metric's name (judge)
    input TEXT NOT NULL,
    output TEXT NOT NULL,           -- the right answer; pass or fail for a judge
    rejected_output TEXT,           -- the span's output that a person corrected
    reason TEXT,
    disagreement {real} NOT NULL CHECK (disagreement BETWEEN 0 AND 1), -- how far the machine's answer was from the person's
    end_user TEXT,
    span_id {integer},
    state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'approved', 'recalled')),
    author TEXT NOT NULL,
    created_at {integer} NOT NULL,
    approved_at {integer},
    approved_by TEXT,
    recalled_at {integer},
    recalled_by TEXT,
    source_correction TEXT,         -- id of the correction or label that it was made of; null when imported
    source_label TEXT,
    PRIMARY KEY (project_id, id),
    UNIQUE (project_id, source_correction),
    UNIQUE (project_id, source_label)
) {strict};

CREATE INDEX demonstration_by_age ON demonstration (project_id, created_at, id);
CREATE INDEX demonstration_by_span ON demonstration (project_id, span_id) WHERE span_id IS NOT NULL;

-- A vector of a demonstration. Vectors of different fingerprints are never compared.
CREATE TABLE embedding (
    project_id {integer} NOT NULL,
    owner TEXT NOT NULL CHECK (owner IN ('demonstration')),
    owner_id TEXT NOT NULL,
    fingerprint TEXT NOT NULL,      -- of the embedding model and its settings
    scale {real} NOT NULL,
    vector {bytes} NOT NULL,        -- int8 values; value * scale is the coordinate
    created_at {integer} NOT NULL,
    PRIMARY KEY (project_id, owner, owner_id, fingerprint)
) {strict};

-- Each demonstration that is or was approved, at the place of its newest change: indexes are fed from here. Writers of changes
-- wait for each other, so that the order of sequence is the order of commits and a reader that has read up to n misses nothing
-- below n.
CREATE TABLE demonstration_change (
    sequence {id},
    project_id {integer} NOT NULL,
    id TEXT NOT NULL,               -- of the demonstration; it may be deleted
    UNIQUE (project_id, id)
) {strict};

-- How the demonstrations of one node are chosen. A node without a row has the defaults.
CREATE TABLE node_policy (
    project_id {integer} NOT NULL REFERENCES project (id),
    node TEXT NOT NULL CHECK (length(node) BETWEEN 1 AND 200),
    retrieval TEXT NOT NULL CHECK (json_valid(retrieval)), -- JSON object of settings
    author TEXT NOT NULL,
    updated_at {integer} NOT NULL,
    PRIMARY KEY (project_id, node)
) {clustered};
