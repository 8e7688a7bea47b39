-- Suggested changes with their evidence, and the search for better judges that makes some of them.

-- A change that waits for a person's sign-off: of a metric, a prompt or a demonstration (`subject` names it). `base` is what it starts
-- from: where that has changed since, approval is refused. What would change and why it should are JSON, by kind and action.
CREATE TABLE proposal (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id INTEGER NOT NULL REFERENCES project (id),
    kind TEXT NOT NULL CHECK (kind IN ('metric', 'prompt', 'demonstration')),
    action TEXT NOT NULL CHECK (action IN ('add', 'change', 'retire')),
    subject TEXT NOT NULL CHECK (length(subject) BETWEEN 1 AND 200),
    summary TEXT NOT NULL,
    base TEXT NOT NULL CHECK (json_valid(base)),
    change TEXT NOT NULL CHECK (json_valid(change)),
    evidence TEXT NOT NULL CHECK (json_valid(evidence)),
    state TEXT NOT NULL DEFAULT 'proposed' CHECK (state IN ('proposed', 'approved', 'rejected')),
    author TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    decided_by TEXT,
    decided_at INTEGER,
    reason TEXT
) STRICT;

CREATE INDEX proposal_by_project ON proposal (project_id, id);

-- A search for a better judge of one metric version over the blind labels given until label_until. `plan` holds what was decided on the
-- way and must not be decided again (distilled rules by fold); answers are kept in judge_reply. A lease is visible_at in the future and a
-- worker's name; waiting (for a budget, after a fault) is visible_at in the future without a worker.
CREATE TABLE alignment_run (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id INTEGER NOT NULL,
    metric_id INTEGER NOT NULL REFERENCES metric (id),
    metric_version_id INTEGER NOT NULL REFERENCES metric_version (id),
    state TEXT NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'done', 'failed')),
    label_until INTEGER NOT NULL,
    plan TEXT NOT NULL CHECK (json_valid(plan)),
    done INTEGER NOT NULL DEFAULT 0,
    total INTEGER NOT NULL DEFAULT 0,
    cost_usd REAL NOT NULL DEFAULT 0,
    detail TEXT,
    result TEXT CHECK (result IS NULL OR json_valid(result)),
    proposal_id INTEGER,
    author TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    ended_at INTEGER,
    visible_at INTEGER NOT NULL,
    worker TEXT,
    attempts INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE UNIQUE INDEX alignment_run_open ON alignment_run (project_id, metric_id) WHERE state = 'running';
CREATE INDEX alignment_run_by_metric ON alignment_run (project_id, metric_id, id);
