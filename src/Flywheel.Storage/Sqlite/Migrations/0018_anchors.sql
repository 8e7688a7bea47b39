-- Frozen cases that judges are asked about again and again: a model that changes behind its name answers them otherwise.

-- Hours between two replays of a metric's anchors; 0 for none but those that are asked for.
ALTER TABLE project ADD COLUMN anchor_hours INTEGER NOT NULL DEFAULT 24 CHECK (anchor_hours BETWEEN 0 AND 8760);

-- The frozen cases of a metric; a metric has one open set. Due for a replay when replayed_at is null or long enough ago.
CREATE TABLE anchor_set (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id INTEGER NOT NULL,
    metric_id INTEGER NOT NULL REFERENCES metric (id),
    author TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    replayed_at INTEGER,
    closed_at INTEGER,
    closed_by TEXT
) STRICT;

CREATE UNIQUE INDEX anchor_set_open ON anchor_set (project_id, metric_id) WHERE closed_at IS NULL;

-- One case with what people said of it blind.
CREATE TABLE anchor (
    project_id INTEGER NOT NULL,
    set_id INTEGER NOT NULL REFERENCES anchor_set (id),
    span_id INTEGER NOT NULL,
    passed INTEGER NOT NULL CHECK (passed IN (0, 1)),
    PRIMARY KEY (project_id, set_id, span_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX anchor_by_span ON anchor (project_id, span_id);

-- All cases asked about once. The first of a metric version is what later ones are compared with (baseline_id), until a person who closed
-- an alarm took a later one for the usual. A lease is visible_at in the future and a worker's name, as in job.
CREATE TABLE anchor_replay (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id INTEGER NOT NULL,
    set_id INTEGER NOT NULL REFERENCES anchor_set (id),
    metric_version_id INTEGER NOT NULL REFERENCES metric_version (id),
    state TEXT NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'done', 'failed')),
    baseline_id INTEGER,
    comparison TEXT CHECK (comparison IS NULL OR json_valid(comparison)),
    alarmed INTEGER NOT NULL DEFAULT 0 CHECK (alarmed IN (0, 1)),
    cost_usd REAL NOT NULL DEFAULT 0,
    detail TEXT,
    started_at INTEGER NOT NULL,
    ended_at INTEGER,
    visible_at INTEGER NOT NULL,
    worker TEXT,
    attempts INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE UNIQUE INDEX anchor_replay_running ON anchor_replay (project_id, set_id) WHERE state = 'running';
CREATE INDEX anchor_replay_by_set ON anchor_replay (project_id, set_id, id);

-- What a judge said of a case in a replay.
CREATE TABLE anchor_answer (
    project_id INTEGER NOT NULL,
    replay_id INTEGER NOT NULL REFERENCES anchor_replay (id),
    span_id INTEGER NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('pass', 'fail', 'unsure', 'skipped', 'error')),
    validator_version TEXT NOT NULL,
    PRIMARY KEY (project_id, replay_id, span_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX anchor_answer_by_span ON anchor_answer (project_id, span_id);

CREATE TRIGGER span_leaves_anchors BEFORE DELETE ON span
BEGIN
    DELETE FROM anchor WHERE project_id = OLD.project_id AND span_id = OLD.id;
    DELETE FROM anchor_answer WHERE project_id = OLD.project_id AND span_id = OLD.id;
END;
