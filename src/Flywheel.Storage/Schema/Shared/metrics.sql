-- What is checked, and how a person looks at it again.

-- A binary criterion by name; its wording is in its versions.
CREATE TABLE metric (
    id {id},
    project_id {integer} NOT NULL REFERENCES project (id),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    state TEXT NOT NULL DEFAULT 'active' CHECK (state IN ('proposed', 'active', 'retired')),
    current_version_id {integer},   -- the version in force; null only while the first one is being inserted
    review_days {integer} CHECK (review_days BETWEEN 0 AND 3650), -- days between two reviews; null: the project's metric_review_days
    UNIQUE (project_id, name)
) {strict};

-- One wording of a metric. Never edited (a trigger refuses it): verdicts name the version that they answer.
CREATE TABLE metric_version (
    id {id},
    metric_id {integer} NOT NULL REFERENCES metric (id),
    number {integer} NOT NULL,      -- from 1 per metric
    role TEXT NOT NULL DEFAULT 'monitor' CHECK (role IN ('monitor', 'guard')),
    criterion TEXT NOT NULL,        -- a question that yes (pass) or no (fail) answers
    -- What is validated. path and trace name the trace's root span, session its newest span; see trace_completion.
    subject TEXT NOT NULL DEFAULT 'output'
        CHECK (subject = 'output' OR subject = 'input' OR subject = 'path' OR subject = 'trace' OR subject = 'session'),
    nodes TEXT CHECK (nodes IS NULL OR json_valid(nodes)),          -- JSON list of the nodes that it is about; null: all
    kinds TEXT CHECK (kinds IS NULL OR json_valid(kinds)),          -- JSON list of kinds of nodes; null: all
    segments TEXT CHECK (segments IS NULL OR json_valid(segments)), -- JSON list of segments (tenants, groups, users); null: all
    sampling {real} NOT NULL DEFAULT 1 CHECK (sampling BETWEEN 0 AND 1), -- share of the spans in question that is validated
    validator TEXT NOT NULL CHECK (json_valid(validator)),          -- JSON object: kind and settings
    on_fail TEXT CHECK (on_fail IN ('block', 'flag', 'redact')),    -- what a guard does about a text that fails; null for a monitor
    on_error TEXT CHECK (on_error IN ('allow', 'block')),           -- what a guard does when it cannot check; null for a monitor
    labels_per_item {integer} NOT NULL DEFAULT 1 CHECK (labels_per_item BETWEEN 1 AND 9), -- number of people asked about one item
    author TEXT NOT NULL,
    created_at {integer} NOT NULL,
    UNIQUE (metric_id, number)
) {strict};

-- A person's look at a metric.
CREATE TABLE metric_review (
    project_id {integer} NOT NULL REFERENCES project (id),
    metric_id {integer} NOT NULL REFERENCES metric (id),
    number {integer} NOT NULL,      -- from 1 per metric
    metric_version_id {integer} NOT NULL REFERENCES metric_version (id),
    decision TEXT NOT NULL CHECK (decision IN ('keep', 'change', 'retire')),
    note TEXT,
    author TEXT NOT NULL,
    created_at {integer} NOT NULL,
    newest_span {integer} NOT NULL, -- the project's newest span at that time: the next review shows what came later
    evidence TEXT NOT NULL CHECK (json_valid(evidence)), -- JSON: what the person could see
    PRIMARY KEY (project_id, metric_id, number)
) {clustered};

-- The inputs that a detector takes as ordinary. Proposed from recent spans; in force only once a person approved it, and then the
-- newest approved one. It names spans and copies no text: what is erased or redacted there is gone here too.
CREATE TABLE reference_set (
    project_id {integer} NOT NULL REFERENCES project (id),
    metric_id {integer} NOT NULL REFERENCES metric (id),
    number {integer} NOT NULL,      -- from 1 per metric
    node TEXT,                      -- the node whose spans these are; null: any
    spans TEXT NOT NULL CHECK (json_valid(spans)), -- JSON list of row numbers of spans
    total {integer} NOT NULL CHECK (total > 0),    -- number of spans in the list
    state TEXT NOT NULL DEFAULT 'proposed' CHECK (state IN ('proposed', 'approved', 'rejected')),
    author TEXT NOT NULL,
    created_at {integer} NOT NULL,
    decided_by TEXT,
    decided_at {integer},
    PRIMARY KEY (project_id, metric_id, number)
) {clustered};
