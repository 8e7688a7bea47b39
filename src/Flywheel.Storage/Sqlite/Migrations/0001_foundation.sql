-- The whole loop in one schema. Conventions, the same in both databases:
--   times are microseconds since 1970 UTC; ids of rows are integers, ids that callers choose are 36 characters of lower-case
--   UUID; enumerations are lower-case words; yes and no are 1 and 0; the project stands in every key.
-- A row written by plain SQL takes part in the loop like one that came through the API: what follows from a row is done by
-- triggers, in that row's transaction.

-- The tenant with its limits.
CREATE TABLE project (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 200),
    judge_calls_per_day INTEGER CHECK (judge_calls_per_day >= 0),
    judge_usd_per_day REAL CHECK (judge_usd_per_day >= 0),
    audit_rate REAL NOT NULL DEFAULT 0.02 CHECK (audit_rate BETWEEN 0 AND 1),
    created_at INTEGER NOT NULL DEFAULT (CAST(unixepoch('subsec') * 1000000 AS INTEGER))
) STRICT;

INSERT INTO project (id, name) VALUES (1, 'default');

-- Keys of the API. The secret itself is never stored, only its SHA-256 in hex.
CREATE TABLE api_key (
    project_id INTEGER NOT NULL REFERENCES project (id),
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    prefix TEXT NOT NULL,
    secret_hash TEXT NOT NULL UNIQUE,
    scope TEXT NOT NULL CHECK (scope IN ('ingest', 'read', 'admin')),
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    revoked_at INTEGER,
    PRIMARY KEY (project_id, id)
) STRICT;

-- Who changed what the product does. Append-only; hash = SHA-256 over the previous entry's hash and this entry's fields, so a
-- changed or missing row breaks the chain of its project from there on.
CREATE TABLE audit (
    project_id INTEGER NOT NULL REFERENCES project (id),
    id INTEGER NOT NULL,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    details TEXT NOT NULL,
    previous_hash TEXT NOT NULL,
    hash TEXT NOT NULL,
    PRIMARY KEY (project_id, id)
) STRICT;

CREATE TRIGGER audit_keeps BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'audit is append-only');
END;

CREATE TRIGGER audit_stays BEFORE DELETE ON audit
BEGIN
    SELECT RAISE(ABORT, 'audit is append-only');
END;

-- One call of a node. `INSERT INTO span (project_id, node, kind, input, output)` is enough: the rest has defaults. The wide
-- columns stand last, so that reading the narrow ones does not walk over them. AUTOINCREMENT, because a row number that came
-- back after a deletion would let a cursor skip a span.
CREATE TABLE span (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id INTEGER NOT NULL REFERENCES project (id),
    trace_id TEXT NOT NULL DEFAULT (lower(hex(randomblob(16)))) CHECK (length(trace_id) BETWEEN 1 AND 128),
    span_id TEXT NOT NULL DEFAULT (lower(hex(randomblob(8)))) CHECK (length(span_id) BETWEEN 1 AND 128),
    parent_id TEXT,
    node TEXT NOT NULL CHECK (length(node) BETWEEN 1 AND 200),
    kind TEXT NOT NULL DEFAULT 'other' CHECK (kind IN ('other', 'classifier', 'writer', 'codegen', 'retriever', 'tool')),
    -- 2015 to 2100, as at every other door.
    started_at INTEGER NOT NULL DEFAULT (CAST(unixepoch('subsec') * 1000000 AS INTEGER))
        CHECK (started_at BETWEEN 1420070400000000 AND 4102444800000000),
    duration_ms REAL NOT NULL DEFAULT 0 CHECK (duration_ms >= 0),
    received_at INTEGER NOT NULL DEFAULT (CAST(unixepoch('subsec') * 1000000 AS INTEGER)),
    session TEXT,
    end_user TEXT,
    model TEXT,
    input_tokens INTEGER,
    output_tokens INTEGER,
    cost_usd REAL,
    error TEXT,
    demonstrations TEXT CHECK (demonstrations IS NULL OR json_valid(demonstrations)),
    input TEXT,
    output TEXT,
    attributes TEXT,
    UNIQUE (project_id, trace_id, span_id)
) STRICT;

-- The newest spans of a project and of a node; the row number is the last part of every SQLite index.
CREATE INDEX span_by_arrival ON span (project_id);
CREATE INDEX span_by_node ON span (project_id, node);

-- Counts and samples were made from these columns; a change would make them lie.
CREATE TRIGGER span_keeps BEFORE UPDATE OF id, project_id, trace_id, span_id, parent_id, node, kind, started_at ON span
WHEN (NEW.id, NEW.project_id, NEW.trace_id, NEW.span_id, NEW.node, NEW.kind, NEW.started_at)
    <> (OLD.id, OLD.project_id, OLD.trace_id, OLD.span_id, OLD.node, OLD.kind, OLD.started_at)
    OR NEW.parent_id IS NOT OLD.parent_id
BEGIN
    SELECT RAISE(ABORT, 'a span keeps its project, ids, node, kind and start');
END;

-- Spans that wait to be paired with the active metrics: the one cheap row that a span costs, however many metrics there are.
CREATE TABLE fan_out (
    span_id INTEGER PRIMARY KEY
) STRICT;

CREATE TRIGGER span_fans_out AFTER INSERT ON span
BEGIN
    INSERT INTO fan_out (span_id) VALUES (NEW.id);
END;

-- A binary criterion by name; its wording is in its versions.
CREATE TABLE metric (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id INTEGER NOT NULL REFERENCES project (id),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    state TEXT NOT NULL DEFAULT 'active' CHECK (state IN ('proposed', 'active', 'retired')),
    current_version_id INTEGER,
    UNIQUE (project_id, name)
) STRICT;

-- One wording of a metric. Never edited: verdicts name the version that they answer.
CREATE TABLE metric_version (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    metric_id INTEGER NOT NULL REFERENCES metric (id),
    number INTEGER NOT NULL,
    role TEXT NOT NULL DEFAULT 'monitor' CHECK (role IN ('monitor', 'guard')),
    criterion TEXT NOT NULL,
    subject TEXT NOT NULL DEFAULT 'output' CHECK (subject IN ('output', 'input')),
    nodes TEXT CHECK (nodes IS NULL OR json_valid(nodes)),
    kinds TEXT CHECK (kinds IS NULL OR json_valid(kinds)),
    sampling REAL NOT NULL DEFAULT 1 CHECK (sampling BETWEEN 0 AND 1),
    validator TEXT NOT NULL CHECK (json_valid(validator)),
    author TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (metric_id, number)
) STRICT;

CREATE TRIGGER metric_version_keeps BEFORE UPDATE ON metric_version
BEGIN
    SELECT RAISE(ABORT, 'a metric version is never edited: add a version');
END;

-- A pair (span, metric version) that still needs its outcome. A lease is visible_at in the future, a worker's name and a
-- raised fence; backing off is visible_at in the future without a worker. AUTOINCREMENT, because a worker that lost its lease
-- must never meet another job under the same id.
CREATE TABLE job (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id INTEGER NOT NULL,
    span_id INTEGER NOT NULL REFERENCES span (id),
    metric_version_id INTEGER NOT NULL REFERENCES metric_version (id),
    lane TEXT NOT NULL CHECK (lane IN ('code', 'judge')),
    state TEXT NOT NULL DEFAULT 'ready' CHECK (state IN ('ready', 'dead')),
    visible_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    fence INTEGER NOT NULL DEFAULT 0,
    worker TEXT,
    reason TEXT,
    UNIQUE (span_id, metric_version_id, project_id)
) STRICT;

CREATE INDEX job_to_claim ON job (lane, visible_at) WHERE state = 'ready';

-- A validator's outcome on one span. Written only by the holder of the job's newest lease.
CREATE TABLE verdict (
    project_id INTEGER NOT NULL,
    span_id INTEGER NOT NULL REFERENCES span (id),
    metric_version_id INTEGER NOT NULL REFERENCES metric_version (id),
    validator_version TEXT NOT NULL,
    metric_id INTEGER NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('pass', 'fail', 'unsure', 'skipped', 'error')),
    score REAL,
    confidence REAL CHECK (confidence BETWEEN 0 AND 1),
    reason TEXT,
    cost_usd REAL NOT NULL DEFAULT 0,
    latency_ms REAL NOT NULL DEFAULT 0,
    model TEXT,
    demonstrations TEXT CHECK (demonstrations IS NULL OR json_valid(demonstrations)),
    created_at INTEGER NOT NULL DEFAULT (CAST(unixepoch('subsec') * 1000000 AS INTEGER)),
    PRIMARY KEY (project_id, span_id, metric_version_id, validator_version)
) STRICT, WITHOUT ROWID;

-- What the review queue looks through.
CREATE INDEX verdict_to_review ON verdict (project_id, outcome, span_id, metric_id) WHERE outcome IN ('fail', 'unsure');

CREATE TRIGGER verdict_keeps
BEFORE UPDATE OF project_id, span_id, metric_version_id, validator_version, metric_id ON verdict
WHEN (NEW.project_id, NEW.span_id, NEW.metric_version_id, NEW.validator_version, NEW.metric_id)
    <> (OLD.project_id, OLD.span_id, OLD.metric_version_id, OLD.validator_version, OLD.metric_id)
BEGIN
    SELECT RAISE(ABORT, 'a verdict keeps its span, metric and validator');
END;

-- The newest verdict of each span and metric; equal times are ordered by version. Newer ones are counted instead of ranked, so
-- that a question about a few spans reads those few.
CREATE VIEW current_verdict AS
SELECT project_id, span_id, metric_id, metric_version_id, validator_version, outcome, score, confidence, reason, cost_usd,
    latency_ms, model, demonstrations, created_at
FROM verdict
WHERE (
    SELECT count(*) FROM verdict AS newer
    WHERE newer.project_id = verdict.project_id AND newer.span_id = verdict.span_id AND newer.metric_id = verdict.metric_id
        AND (newer.created_at, newer.metric_version_id, newer.validator_version)
            > (verdict.created_at, verdict.metric_version_id, verdict.validator_version)) = 0;

-- A person's pass (1) or fail (0) for one metric on one span.
CREATE TABLE label (
    project_id INTEGER NOT NULL,
    id TEXT NOT NULL CHECK (length(id) = 36),
    span_id INTEGER NOT NULL REFERENCES span (id),
    metric_id INTEGER NOT NULL REFERENCES metric (id),
    passed INTEGER NOT NULL CHECK (passed IN (0, 1)),
    mode TEXT NOT NULL CHECK (mode IN ('blind', 'accepted', 'edited')),
    critique TEXT,
    author TEXT NOT NULL,
    propensity REAL CHECK (propensity > 0 AND propensity <= 1),
    created_at INTEGER NOT NULL DEFAULT (CAST(unixepoch('subsec') * 1000000 AS INTEGER)),
    PRIMARY KEY (project_id, id)
) STRICT;

CREATE INDEX label_by_span ON label (project_id, span_id, metric_id);
CREATE INDEX label_by_metric ON label (project_id, metric_id, created_at);

-- A person's better output with what went wrong; the same output confirms it.
CREATE TABLE correction (
    project_id INTEGER NOT NULL,
    id TEXT NOT NULL CHECK (length(id) = 36),
    span_id INTEGER NOT NULL REFERENCES span (id),
    went_wrong TEXT,
    corrected_output TEXT NOT NULL,
    reasoning TEXT,
    author TEXT NOT NULL,
    created_at INTEGER NOT NULL DEFAULT (CAST(unixepoch('subsec') * 1000000 AS INTEGER)),
    PRIMARY KEY (project_id, id)
) STRICT;

CREATE INDEX correction_by_span ON correction (project_id, span_id);

-- What the application learned of an answer. It may arrive before its span, so it names it as the sender does.
CREATE TABLE feedback (
    project_id INTEGER NOT NULL REFERENCES project (id),
    id TEXT NOT NULL CHECK (length(id) = 36),
    trace_id TEXT NOT NULL,
    span_id TEXT,
    name TEXT NOT NULL,
    value TEXT NOT NULL CHECK (json_valid(value)),
    comment TEXT,
    end_user TEXT,
    created_at INTEGER NOT NULL DEFAULT (CAST(unixepoch('subsec') * 1000000 AS INTEGER)),
    PRIMARY KEY (project_id, id)
) STRICT;

CREATE INDEX feedback_by_trace ON feedback (project_id, trace_id);

-- The newest blind label of each span and metric: the only labels that calibrate anything. Kept by triggers on label.
CREATE TABLE gold (
    project_id INTEGER NOT NULL,
    span_id INTEGER NOT NULL,
    metric_id INTEGER NOT NULL,
    passed INTEGER NOT NULL,
    label_id TEXT NOT NULL,
    PRIMARY KEY (project_id, span_id, metric_id)
) STRICT, WITHOUT ROWID;

-- Counts of verdicts by what a person said of the same span (human: 1 pass, 0 fail, -1 nobody yet), in the UTC hour in which
-- the span started. Writers only append changes to metric_delta; a worker folds them into metric_count.
CREATE TABLE metric_delta (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id INTEGER NOT NULL,
    metric_version_id INTEGER NOT NULL,
    validator_version TEXT NOT NULL,
    node TEXT NOT NULL,
    bucket INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    human INTEGER NOT NULL,
    change INTEGER NOT NULL
) STRICT;

CREATE TABLE metric_count (
    project_id INTEGER NOT NULL,
    metric_version_id INTEGER NOT NULL,
    validator_version TEXT NOT NULL,
    node TEXT NOT NULL,
    bucket INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    human INTEGER NOT NULL,
    total INTEGER NOT NULL,
    PRIMARY KEY (project_id, metric_version_id, validator_version, node, bucket, outcome, human)
) STRICT, WITHOUT ROWID;

-- Always exact: folded counts and the changes not folded yet.
CREATE VIEW metric_cell AS
SELECT project_id, metric_version_id, validator_version, node, bucket, outcome, human, sum(total) AS total
FROM (
    SELECT project_id, metric_version_id, validator_version, node, bucket, outcome, human, total FROM metric_count
    UNION ALL
    SELECT project_id, metric_version_id, validator_version, node, bucket, outcome, human, change FROM metric_delta
) AS part
GROUP BY project_id, metric_version_id, validator_version, node, bucket, outcome, human
HAVING sum(total) <> 0;

-- The truth that metric_cell must equal.
CREATE VIEW metric_cell_recomputed AS
SELECT verdict.project_id, verdict.metric_version_id, verdict.validator_version, span.node,
    span.started_at - span.started_at % 3600000000 AS bucket, verdict.outcome, coalesce(gold.passed, -1) AS human,
    count(*) AS total
FROM verdict
JOIN span ON span.id = verdict.span_id AND span.project_id = verdict.project_id
LEFT JOIN gold ON gold.project_id = verdict.project_id AND gold.span_id = verdict.span_id AND gold.metric_id = verdict.metric_id
GROUP BY verdict.project_id, verdict.metric_version_id, verdict.validator_version, span.node,
    span.started_at - span.started_at % 3600000000, verdict.outcome, coalesce(gold.passed, -1);

CREATE TRIGGER verdict_counts AFTER INSERT ON verdict
BEGIN
    INSERT INTO metric_delta (project_id, metric_version_id, validator_version, node, bucket, outcome, human, change)
    SELECT NEW.project_id, NEW.metric_version_id, NEW.validator_version, node, started_at - started_at % 3600000000, NEW.outcome,
        coalesce((
            SELECT passed FROM gold
            WHERE gold.project_id = NEW.project_id AND gold.span_id = NEW.span_id AND gold.metric_id = NEW.metric_id), -1),
        1
    FROM span
    WHERE id = NEW.span_id AND project_id = NEW.project_id;
END;

CREATE TRIGGER verdict_recounts AFTER UPDATE OF outcome ON verdict
WHEN NEW.outcome <> OLD.outcome
BEGIN
    INSERT INTO metric_delta (project_id, metric_version_id, validator_version, node, bucket, outcome, human, change)
    SELECT NEW.project_id, NEW.metric_version_id, NEW.validator_version, node, started_at - started_at % 3600000000,
        CASE step.change WHEN 1 THEN NEW.outcome ELSE OLD.outcome END,
        coalesce((
            SELECT passed FROM gold
            WHERE gold.project_id = NEW.project_id AND gold.span_id = NEW.span_id AND gold.metric_id = NEW.metric_id), -1),
        step.change
    FROM span, (SELECT -1 AS change UNION ALL SELECT 1) AS step
    WHERE id = NEW.span_id AND project_id = NEW.project_id;
END;

CREATE TRIGGER verdict_uncounts AFTER DELETE ON verdict
BEGIN
    INSERT INTO metric_delta (project_id, metric_version_id, validator_version, node, bucket, outcome, human, change)
    SELECT OLD.project_id, OLD.metric_version_id, OLD.validator_version, node, started_at - started_at % 3600000000, OLD.outcome,
        coalesce((
            SELECT passed FROM gold
            WHERE gold.project_id = OLD.project_id AND gold.span_id = OLD.span_id AND gold.metric_id = OLD.metric_id), -1),
        -1
    FROM span
    WHERE id = OLD.span_id AND project_id = OLD.project_id;
END;

-- A blind label moves the verdicts of its span and metric from one cell to another.
CREATE TRIGGER gold_counts AFTER INSERT ON gold
BEGIN
    INSERT INTO metric_delta (project_id, metric_version_id, validator_version, node, bucket, outcome, human, change)
    SELECT verdict.project_id, metric_version_id, validator_version, node, started_at - started_at % 3600000000, outcome,
        CASE step.change WHEN 1 THEN NEW.passed ELSE -1 END, step.change
    FROM verdict
    JOIN span ON span.id = verdict.span_id AND span.project_id = verdict.project_id,
        (SELECT -1 AS change UNION ALL SELECT 1) AS step
    WHERE verdict.project_id = NEW.project_id AND verdict.span_id = NEW.span_id AND verdict.metric_id = NEW.metric_id;
END;

CREATE TRIGGER gold_recounts AFTER UPDATE OF passed ON gold
WHEN NEW.passed <> OLD.passed
BEGIN
    INSERT INTO metric_delta (project_id, metric_version_id, validator_version, node, bucket, outcome, human, change)
    SELECT verdict.project_id, metric_version_id, validator_version, node, started_at - started_at % 3600000000, outcome,
        CASE step.change WHEN 1 THEN NEW.passed ELSE OLD.passed END, step.change
    FROM verdict
    JOIN span ON span.id = verdict.span_id AND span.project_id = verdict.project_id,
        (SELECT -1 AS change UNION ALL SELECT 1) AS step
    WHERE verdict.project_id = NEW.project_id AND verdict.span_id = NEW.span_id AND verdict.metric_id = NEW.metric_id;
END;

CREATE TRIGGER gold_uncounts AFTER DELETE ON gold
BEGIN
    INSERT INTO metric_delta (project_id, metric_version_id, validator_version, node, bucket, outcome, human, change)
    SELECT verdict.project_id, metric_version_id, validator_version, node, started_at - started_at % 3600000000, outcome,
        CASE step.change WHEN 1 THEN -1 ELSE OLD.passed END, step.change
    FROM verdict
    JOIN span ON span.id = verdict.span_id AND span.project_id = verdict.project_id,
        (SELECT -1 AS change UNION ALL SELECT 1) AS step
    WHERE verdict.project_id = OLD.project_id AND verdict.span_id = OLD.span_id AND verdict.metric_id = OLD.metric_id;
END;

-- A few-shot example, made by the triggers below or imported. Only approved ones ever reach a prompt.
CREATE TABLE demonstration (
    project_id INTEGER NOT NULL REFERENCES project (id),
    id TEXT NOT NULL CHECK (length(id) = 36),
    purpose TEXT NOT NULL CHECK (purpose IN ('task', 'judge')),
    target TEXT NOT NULL,
    input TEXT NOT NULL,
    output TEXT NOT NULL,
    rejected_output TEXT,
    reason TEXT,
    disagreement REAL NOT NULL CHECK (disagreement BETWEEN 0 AND 1),
    end_user TEXT,
    span_id INTEGER,
    state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'approved', 'recalled')),
    author TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    approved_at INTEGER,
    approved_by TEXT,
    recalled_at INTEGER,
    recalled_by TEXT,
    source_correction TEXT,
    source_label TEXT,
    PRIMARY KEY (project_id, id),
    UNIQUE (project_id, source_correction),
    UNIQUE (project_id, source_label)
) STRICT;

CREATE INDEX demonstration_by_age ON demonstration (project_id, created_at, id);
CREATE INDEX demonstration_by_span ON demonstration (project_id, span_id) WHERE span_id IS NOT NULL;

-- A vector of a demonstration: int8 values, value * scale is the coordinate. Vectors of different fingerprints never meet.
CREATE TABLE embedding (
    project_id INTEGER NOT NULL,
    owner TEXT NOT NULL CHECK (owner IN ('demonstration')),
    owner_id TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    scale REAL NOT NULL,
    vector BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (project_id, owner, owner_id, fingerprint)
) STRICT;

-- From here indexes are fed: each demonstration that is or was approved, at the place of its newest change. Writers are one
-- behind the other, so sequence order is commit order, and who has read up to n misses nothing below n.
CREATE TABLE demonstration_change (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id INTEGER NOT NULL,
    id TEXT NOT NULL,
    UNIQUE (project_id, id)
) STRICT;

CREATE TRIGGER demonstration_appears AFTER INSERT ON demonstration
WHEN NEW.state = 'approved'
BEGIN
    DELETE FROM demonstration_change WHERE project_id = NEW.project_id AND id = NEW.id;
    INSERT INTO demonstration_change (project_id, id) VALUES (NEW.project_id, NEW.id);
END;

CREATE TRIGGER demonstration_changes AFTER UPDATE ON demonstration
WHEN NEW.state = 'approved' OR OLD.state = 'approved'
BEGIN
    DELETE FROM demonstration_change WHERE project_id = NEW.project_id AND id = NEW.id;
    INSERT INTO demonstration_change (project_id, id) VALUES (NEW.project_id, NEW.id);
END;

CREATE TRIGGER demonstration_goes AFTER DELETE ON demonstration
BEGIN
    DELETE FROM embedding WHERE project_id = OLD.project_id AND owner = 'demonstration' AND owner_id = OLD.id;
    DELETE FROM demonstration_change WHERE project_id = OLD.project_id AND id = OLD.id;
    INSERT INTO demonstration_change (project_id, id) VALUES (OLD.project_id, OLD.id);
END;

CREATE TRIGGER embedding_appears AFTER INSERT ON embedding
WHEN NEW.owner = 'demonstration'
BEGIN
    DELETE FROM demonstration_change WHERE project_id = NEW.project_id AND id = NEW.owner_id;
    INSERT INTO demonstration_change (project_id, id) VALUES (NEW.project_id, NEW.owner_id);
END;

CREATE TRIGGER embedding_changes AFTER UPDATE ON embedding
WHEN NEW.owner = 'demonstration'
BEGIN
    DELETE FROM demonstration_change WHERE project_id = NEW.project_id AND id = NEW.owner_id;
    INSERT INTO demonstration_change (project_id, id) VALUES (NEW.project_id, NEW.owner_id);
END;

-- A correction makes a demonstration for its node. It waits for approval. It carries the correction's id, so that prompts that
-- name it still do after an export and an import.
CREATE TRIGGER correction_teaches AFTER INSERT ON correction
BEGIN
    INSERT INTO demonstration (
        project_id, id, purpose, target, input, output, rejected_output, reason, disagreement, end_user, span_id, author,
        created_at, source_correction)
    SELECT NEW.project_id, NEW.id, 'task', node, input, NEW.corrected_output, CASE WHEN output <> NEW.corrected_output THEN output END,
        CASE
            WHEN NEW.went_wrong IS NOT NULL AND NEW.reasoning IS NOT NULL THEN NEW.went_wrong || char(10) || NEW.reasoning
            ELSE coalesce(NEW.went_wrong, NEW.reasoning)
        END,
        CASE WHEN output = NEW.corrected_output THEN 0 ELSE 1 END, end_user, id, NEW.author, NEW.created_at, NEW.id
    FROM span
    WHERE id = NEW.span_id AND project_id = NEW.project_id AND input IS NOT NULL;
END;

CREATE TRIGGER correction_goes AFTER DELETE ON correction
BEGIN
    DELETE FROM demonstration WHERE project_id = OLD.project_id AND source_correction = OLD.id;
END;

-- A label keeps gold, and makes a demonstration for the judges of its metric unless the person only accepted a suggestion. It
-- carries the label's id as a UUID of version 8, since a correction may have been given the same id.
CREATE TRIGGER label_appears AFTER INSERT ON label
BEGIN
    INSERT INTO gold (project_id, span_id, metric_id, passed, label_id)
    SELECT project_id, span_id, metric_id, passed, id
    FROM label
    WHERE project_id = NEW.project_id AND span_id = NEW.span_id AND metric_id = NEW.metric_id AND mode = 'blind'
    ORDER BY created_at DESC, id DESC
    LIMIT 1
    ON CONFLICT (project_id, span_id, metric_id) DO UPDATE SET passed = excluded.passed, label_id = excluded.label_id;

    INSERT INTO demonstration (
        project_id, id, purpose, target, input, output, reason, disagreement, end_user, span_id, author, created_at, source_label)
    SELECT NEW.project_id, substr(NEW.id, 1, 14) || '8' || substr(NEW.id, 16), 'judge', metric.name, CASE metric_version.subject WHEN 'input' THEN span.input ELSE span.output END,
        CASE NEW.passed WHEN 1 THEN 'pass' ELSE 'fail' END, NEW.critique,
        -- How far the judge's probability of a pass was from the person's answer.
        abs(NEW.passed - coalesce((
            SELECT CASE outcome WHEN 'pass' THEN coalesce(confidence, 1) WHEN 'fail' THEN 1 - coalesce(confidence, 1) END
            FROM current_verdict
            WHERE project_id = NEW.project_id AND span_id = NEW.span_id AND metric_id = NEW.metric_id), 0.5)),
        span.end_user, span.id, NEW.author, NEW.created_at, NEW.id
    FROM span
    JOIN metric ON metric.id = NEW.metric_id AND metric.project_id = NEW.project_id
    JOIN metric_version ON metric_version.id = metric.current_version_id
    WHERE span.id = NEW.span_id AND span.project_id = NEW.project_id AND NEW.mode IN ('blind', 'edited')
        AND CASE metric_version.subject WHEN 'input' THEN span.input ELSE span.output END IS NOT NULL;
END;

CREATE TRIGGER label_keeps BEFORE UPDATE OF project_id, id, span_id, metric_id ON label
WHEN (NEW.project_id, NEW.id, NEW.span_id, NEW.metric_id) <> (OLD.project_id, OLD.id, OLD.span_id, OLD.metric_id)
BEGIN
    SELECT RAISE(ABORT, 'a label keeps its id, span and metric');
END;

CREATE TRIGGER label_changes AFTER UPDATE OF passed, mode, created_at ON label
BEGIN
    INSERT INTO gold (project_id, span_id, metric_id, passed, label_id)
    SELECT project_id, span_id, metric_id, passed, id
    FROM label
    WHERE project_id = NEW.project_id AND span_id = NEW.span_id AND metric_id = NEW.metric_id AND mode = 'blind'
    ORDER BY created_at DESC, id DESC
    LIMIT 1
    ON CONFLICT (project_id, span_id, metric_id) DO UPDATE SET passed = excluded.passed, label_id = excluded.label_id;

    DELETE FROM gold
    WHERE project_id = NEW.project_id AND span_id = NEW.span_id AND metric_id = NEW.metric_id
        AND NOT EXISTS (
            SELECT 1 FROM label
            WHERE project_id = NEW.project_id AND span_id = NEW.span_id AND metric_id = NEW.metric_id AND mode = 'blind');
END;

CREATE TRIGGER label_goes AFTER DELETE ON label
BEGIN
    DELETE FROM demonstration WHERE project_id = OLD.project_id AND source_label = OLD.id;

    INSERT INTO gold (project_id, span_id, metric_id, passed, label_id)
    SELECT project_id, span_id, metric_id, passed, id
    FROM label
    WHERE project_id = OLD.project_id AND span_id = OLD.span_id AND metric_id = OLD.metric_id AND mode = 'blind'
    ORDER BY created_at DESC, id DESC
    LIMIT 1
    ON CONFLICT (project_id, span_id, metric_id) DO UPDATE SET passed = excluded.passed, label_id = excluded.label_id;

    DELETE FROM gold
    WHERE project_id = OLD.project_id AND span_id = OLD.span_id AND metric_id = OLD.metric_id
        AND NOT EXISTS (
            SELECT 1 FROM label
            WHERE project_id = OLD.project_id AND span_id = OLD.span_id AND metric_id = OLD.metric_id AND mode = 'blind');
END;

-- What judges used of their project's limits in one UTC day (its midnight). Reserved before a call, settled after it.
CREATE TABLE budget_use (
    project_id INTEGER NOT NULL REFERENCES project (id),
    day INTEGER NOT NULL,
    calls INTEGER NOT NULL,
    usd REAL NOT NULL,
    PRIMARY KEY (project_id, day)
) STRICT;

-- What the product chose to put before a person. metric_id 0 asks about the node's output itself.
CREATE TABLE review_pick (
    project_id INTEGER NOT NULL,
    span_id INTEGER NOT NULL REFERENCES span (id),
    metric_id INTEGER NOT NULL DEFAULT 0,
    reason TEXT NOT NULL CHECK (reason IN ('disagreement', 'lowscore', 'unsure', 'informative', 'randomaudit')),
    detail TEXT NOT NULL,
    priority REAL NOT NULL,
    propensity REAL CHECK (propensity > 0 AND propensity <= 1),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (project_id, span_id, metric_id, reason)
) STRICT, WITHOUT ROWID;

-- A page of one reason, most urgent first.
CREATE INDEX review_pick_by_reason ON review_pick (project_id, reason, priority, span_id, metric_id);

-- The review queue: what a person should look at and why, until a person has. Reasons of small volume come before those that
-- the traffic produces without end, so that none starves: priority 5 disagreement, 4 random audit, 3 informative, 2 unsure,
-- 1 low score; 3 to 4 orders the informative ones among themselves. A pair that was also drawn at random carries its
-- propensity whatever the reason is: its label counts for the honest rate. The parts count related rows instead of joining
-- them, so that a page is read along an index from its first row to its last and not one further, however long the queue is.

-- People and validator disagree, or two people do.
CREATE VIEW review_disagreement AS
-- A single blind label contradicts the newest verdict; a second label settles it.
SELECT label.project_id, label.span_id, label.metric_id, metric.name AS metric,
    'a person said ' || CASE label.passed WHEN 1 THEN 'pass' ELSE 'fail' END || ', the validator ' || verdict.outcome AS detail,
    label.propensity, label.created_at AS since
FROM label
JOIN metric ON metric.id = label.metric_id AND metric.project_id = label.project_id AND metric.state = 'active'
JOIN verdict ON verdict.project_id = label.project_id AND verdict.span_id = label.span_id AND verdict.metric_id = label.metric_id
WHERE label.mode = 'blind' AND verdict.outcome = CASE label.passed WHEN 1 THEN 'fail' ELSE 'pass' END
    AND (
        SELECT count(*) FROM verdict AS newer
        WHERE newer.project_id = verdict.project_id AND newer.span_id = verdict.span_id AND newer.metric_id = verdict.metric_id
            AND (newer.created_at, newer.metric_version_id, newer.validator_version)
                > (verdict.created_at, verdict.metric_version_id, verdict.validator_version)) = 0
    AND (
        SELECT count(*) FROM label AS other
        WHERE other.project_id = label.project_id AND other.span_id = label.span_id AND other.metric_id = label.metric_id) = 1
UNION ALL
-- Two people differ; a third label settles it.
SELECT one.project_id, one.span_id, one.metric_id, metric.name,
    one.author || ' said ' || CASE one.passed WHEN 1 THEN 'pass' ELSE 'fail' END || ', '
        || two.author || ' ' || CASE two.passed WHEN 1 THEN 'pass' ELSE 'fail' END,
    NULL, two.created_at
FROM label AS one
JOIN label AS two ON two.project_id = one.project_id AND two.span_id = one.span_id AND two.metric_id = one.metric_id
    AND (two.created_at, two.id) > (one.created_at, one.id) AND two.author <> one.author AND two.passed <> one.passed
JOIN metric ON metric.id = one.metric_id AND metric.project_id = one.project_id AND metric.state = 'active'
WHERE (
    SELECT count(*) FROM label AS other
    WHERE other.project_id = one.project_id AND other.span_id = one.span_id AND other.metric_id = one.metric_id) = 2;

-- The newest verdict is a fail or could not decide, and nobody has labelled the pair, nor corrected the output that it is about.
CREATE VIEW review_verdict AS
SELECT verdict.project_id, verdict.span_id, verdict.metric_id, (SELECT name FROM metric WHERE metric.id = verdict.metric_id) AS metric,
    verdict.outcome,
    coalesce(verdict.reason, CASE verdict.outcome WHEN 'fail' THEN 'the validator failed it' ELSE 'the validator could not decide' END)
        AS detail,
    (SELECT propensity FROM review_pick AS drawn
        WHERE drawn.project_id = verdict.project_id AND drawn.span_id = verdict.span_id AND drawn.metric_id = verdict.metric_id
            AND drawn.reason = 'randomaudit') AS propensity,
    verdict.created_at AS since
FROM verdict
WHERE verdict.outcome IN ('fail', 'unsure')
    AND (SELECT state FROM metric WHERE metric.id = verdict.metric_id AND metric.project_id = verdict.project_id) = 'active'
    AND (
        SELECT count(*) FROM verdict AS newer
        WHERE newer.project_id = verdict.project_id AND newer.span_id = verdict.span_id AND newer.metric_id = verdict.metric_id
            AND (newer.created_at, newer.metric_version_id, newer.validator_version)
                > (verdict.created_at, verdict.metric_version_id, verdict.validator_version)) = 0
    AND (
        SELECT count(*) FROM label
        WHERE label.project_id = verdict.project_id AND label.span_id = verdict.span_id AND label.metric_id = verdict.metric_id) = 0
    AND ((
        SELECT count(*) FROM correction
        WHERE correction.project_id = verdict.project_id AND correction.span_id = verdict.span_id) = 0
        OR (SELECT subject FROM metric_version WHERE metric_version.id = verdict.metric_version_id) = 'input');

-- Picks until they are answered: about an active metric by a label, about the output (metric_id 0) by a correction.
CREATE VIEW review_open_pick AS
SELECT pick.project_id, pick.span_id, pick.metric_id, (SELECT name FROM metric WHERE metric.id = pick.metric_id) AS metric,
    pick.reason, pick.detail, pick.priority,
    coalesce(pick.propensity, (SELECT propensity FROM review_pick AS drawn
        WHERE drawn.project_id = pick.project_id AND drawn.span_id = pick.span_id AND drawn.metric_id = pick.metric_id
            AND drawn.reason = 'randomaudit')) AS propensity,
    pick.created_at AS since
FROM review_pick AS pick
WHERE CASE pick.metric_id
    WHEN 0 THEN (
        SELECT count(*) FROM correction WHERE correction.project_id = pick.project_id AND correction.span_id = pick.span_id) = 0
    ELSE (SELECT state FROM metric WHERE metric.id = pick.metric_id AND metric.project_id = pick.project_id) = 'active'
        AND (
            SELECT count(*) FROM label
            WHERE label.project_id = pick.project_id AND label.span_id = pick.span_id AND label.metric_id = pick.metric_id) = 0
    END;

-- All of it, for query tools.
CREATE VIEW review_item AS
SELECT project_id, span_id, metric_id, metric, 'disagreement' AS reason, detail, 5.0 AS priority, propensity, since
FROM review_disagreement
UNION ALL
SELECT project_id, span_id, metric_id, metric, CASE outcome WHEN 'fail' THEN 'lowscore' ELSE 'unsure' END, detail,
    CASE outcome WHEN 'fail' THEN 1.0 ELSE 2.0 END, propensity, since
FROM review_verdict
UNION ALL
SELECT project_id, span_id, NULLIF(metric_id, 0), metric, reason, detail,
    CASE reason
        WHEN 'disagreement' THEN 5.0
        WHEN 'randomaudit' THEN 4.0
        WHEN 'unsure' THEN 2.0
        WHEN 'lowscore' THEN 1.0
        ELSE 3.0 + 0.999 * CASE WHEN priority < 0 THEN 0 WHEN priority > 1 THEN 1 ELSE priority END
    END,
    propensity, since
FROM review_open_pick;

-- Everything of a span goes with it, while it still stands: the counts need its node and hour.
CREATE TRIGGER span_goes BEFORE DELETE ON span
BEGIN
    DELETE FROM fan_out WHERE span_id = OLD.id;
    DELETE FROM job WHERE span_id = OLD.id;
    DELETE FROM verdict WHERE project_id = OLD.project_id AND span_id = OLD.id;
    DELETE FROM label WHERE project_id = OLD.project_id AND span_id = OLD.id;
    DELETE FROM correction WHERE project_id = OLD.project_id AND span_id = OLD.id;
    DELETE FROM review_pick WHERE project_id = OLD.project_id AND span_id = OLD.id;
    DELETE FROM demonstration WHERE project_id = OLD.project_id AND span_id = OLD.id;
END;

-- What someone decided for one node: how its demonstrations are chosen. A node without a row runs under the defaults.
CREATE TABLE node_policy (
    project_id INTEGER NOT NULL REFERENCES project (id),
    node TEXT NOT NULL CHECK (length(node) BETWEEN 1 AND 200),
    retrieval TEXT NOT NULL CHECK (json_valid(retrieval)),
    author TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (project_id, node)
) STRICT, WITHOUT ROWID;
