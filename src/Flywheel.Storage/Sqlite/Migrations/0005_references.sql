-- Which inputs a detector takes for ordinary. Proposed from recent spans, in force only once a person approved it; the newest
-- approved one counts. It names spans and copies no text: what is erased or redacted there is gone here too.
CREATE TABLE reference_set (
    project_id INTEGER NOT NULL REFERENCES project (id),
    metric_id INTEGER NOT NULL REFERENCES metric (id),
    number INTEGER NOT NULL,
    node TEXT,
    spans TEXT NOT NULL CHECK (json_valid(spans)),
    total INTEGER NOT NULL CHECK (total > 0),
    state TEXT NOT NULL DEFAULT 'proposed' CHECK (state IN ('proposed', 'approved', 'rejected')),
    author TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    decided_by TEXT,
    decided_at INTEGER,
    PRIMARY KEY (project_id, metric_id, number)
) STRICT, WITHOUT ROWID;
