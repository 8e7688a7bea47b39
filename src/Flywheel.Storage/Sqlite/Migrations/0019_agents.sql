-- Agents in the loop: what they propose, what other evaluators said, and how far our verdicts were sent on.

-- A model's pass (1) or fail (0) for one metric on one span, for a person to accept or change. Never a label: a person's label is its
-- answer, and it is gold only when the person did not see it.
CREATE TABLE proposed_label (
    project_id INTEGER NOT NULL,
    span_id INTEGER NOT NULL REFERENCES span (id),
    metric_id INTEGER NOT NULL REFERENCES metric (id),
    author TEXT NOT NULL CHECK (length(author) BETWEEN 1 AND 200),
    passed INTEGER NOT NULL CHECK (passed IN (0, 1)),
    critique TEXT NOT NULL,
    confidence REAL CHECK (confidence BETWEEN 0 AND 1),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (project_id, span_id, metric_id, author)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER span_leaves_proposals BEFORE DELETE ON span
BEGIN
    DELETE FROM proposed_label WHERE project_id = OLD.project_id AND span_id = OLD.id;
END;

-- A key that may search, read and propose through /mcp only; SQLite changes a CHECK only with the table.
CREATE TABLE api_key_new (
    project_id INTEGER NOT NULL REFERENCES project (id),
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    prefix TEXT NOT NULL,
    secret_hash TEXT NOT NULL UNIQUE,
    scope TEXT NOT NULL CHECK (scope IN ('ingest', 'read', 'admin', 'models', 'agent')),
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    revoked_at INTEGER,
    PRIMARY KEY (project_id, id)
) STRICT;

INSERT INTO api_key_new (project_id, id, name, prefix, secret_hash, scope, created_at, expires_at, revoked_at)
SELECT project_id, id, name, prefix, secret_hash, scope, created_at, expires_at, revoked_at
FROM api_key;

DROP TABLE api_key;

ALTER TABLE api_key_new RENAME TO api_key;

-- What evaluators and people elsewhere said of a span, as it was sent (gen_ai.evaluation.result, OpenInference annotations): before the
-- span or after it. A worker makes a verdict, a label or a proposed label of it once the span is there (joined = 1).
CREATE TABLE span_evaluation (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id INTEGER NOT NULL REFERENCES project (id),
    trace_id TEXT,
    span_id TEXT,
    -- Names the span by its answer; then the ids above are those of whoever evaluated.
    response_id TEXT,
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    source TEXT NOT NULL CHECK (source IN ('human', 'model', 'code', 'unknown')),
    score REAL,
    score_label TEXT,
    explanation TEXT,
    error TEXT,
    author TEXT,
    evaluator TEXT NOT NULL,
    -- 1: a person who saw no suggestion; 0: nothing was said of it.
    blind INTEGER NOT NULL DEFAULT 0 CHECK (blind IN (0, 1)),
    -- 1: the sender's key may label.
    may_label INTEGER NOT NULL DEFAULT 0 CHECK (may_label IN (0, 1)),
    at INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    try_at INTEGER NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0,
    joined INTEGER NOT NULL DEFAULT 0 CHECK (joined IN (0, 1)),
    -- SHA-256 in hex of everything above that was sent: a sender's retry adds nothing.
    digest TEXT NOT NULL,
    CHECK (response_id IS NOT NULL OR (trace_id IS NOT NULL AND span_id IS NOT NULL)),
    UNIQUE (project_id, digest)
) STRICT;

CREATE INDEX span_evaluation_waiting ON span_evaluation (try_at) WHERE joined = 0;
CREATE INDEX span_evaluation_by_arrival ON span_evaluation (received_at);
CREATE INDEX span_evaluation_by_trace ON span_evaluation (project_id, trace_id, span_id);

CREATE TRIGGER span_evaluation_goes BEFORE DELETE ON span
BEGIN
    DELETE FROM span_evaluation WHERE project_id = OLD.project_id AND trace_id = OLD.trace_id AND span_id = OLD.span_id;
    DELETE FROM span_evaluation WHERE project_id = OLD.project_id AND response_id = OLD.response_id;
END;

CREATE INDEX span_evaluation_by_response ON span_evaluation (project_id, response_id) WHERE response_id IS NOT NULL;

-- Projects whose verdicts are sent to another system; the server writes it at its start, by its settings.
CREATE TABLE evaluation_export (
    project_id INTEGER PRIMARY KEY REFERENCES project (id),
    enabled INTEGER NOT NULL CHECK (enabled IN (0, 1))
) STRICT;

-- Verdicts that are still to be sent; a row goes once the receiver has it. A lease is leased_until in the future.
CREATE TABLE verdict_outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id INTEGER NOT NULL,
    span_id INTEGER NOT NULL,
    metric_version_id INTEGER NOT NULL,
    validator_version TEXT NOT NULL,
    leased_until INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TRIGGER verdict_is_sent AFTER INSERT ON verdict
WHEN NEW.outcome <> 'skipped' AND (SELECT enabled FROM evaluation_export WHERE project_id = NEW.project_id) = 1
BEGIN
    INSERT INTO verdict_outbox (project_id, span_id, metric_version_id, validator_version)
    VALUES (NEW.project_id, NEW.span_id, NEW.metric_version_id, NEW.validator_version);
END;

CREATE TRIGGER verdict_is_sent_again AFTER UPDATE OF outcome ON verdict
WHEN NEW.outcome <> 'skipped' AND (NEW.outcome <> OLD.outcome OR NEW.reason IS NOT OLD.reason)
    AND (SELECT enabled FROM evaluation_export WHERE project_id = NEW.project_id) = 1
BEGIN
    INSERT INTO verdict_outbox (project_id, span_id, metric_version_id, validator_version)
    VALUES (NEW.project_id, NEW.span_id, NEW.metric_version_id, NEW.validator_version);
END;
