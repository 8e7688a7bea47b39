-- What arrives beside spans, and what is sent on.

-- Messages of a span that came apart from it, as OpenTelemetry's log records do: before the span or after it. A worker adds them
-- to the span when it pairs the span with metrics. They are kept for a while, because a later one of the same span is added
-- together with the earlier ones.
CREATE TABLE span_text (
    id {id},
    project_id {integer} NOT NULL REFERENCES project (id),
    trace_id TEXT NOT NULL,
    span_id TEXT NOT NULL,
    place TEXT NOT NULL CHECK (place IN ('input', 'output', 'system')),
    at {integer} NOT NULL,          -- when it was said
    ordinal {integer} NOT NULL,     -- its place among messages of one time
    messages TEXT NOT NULL CHECK (json_valid(messages)), -- JSON, as sent
    text TEXT,                      -- the plain text of the messages
    is_user {small} NOT NULL DEFAULT 0 CHECK (is_user IN (0, 1)), -- 1: what the user said
    joined {small} NOT NULL DEFAULT 0 CHECK (joined IN (0, 1)),   -- 1: the span has it
    received_at {integer} NOT NULL,
    digest TEXT NOT NULL,           -- SHA-256 in hex of what was sent: a sender's retry adds nothing
    UNIQUE (project_id, trace_id, span_id, digest)
) {strict};

CREATE INDEX span_text_by_arrival ON span_text (received_at);

-- What waits for its span; empty most of the time, so that looking costs nothing.
CREATE INDEX span_text_waiting ON span_text (project_id, trace_id, span_id) WHERE joined = 0;

-- What evaluators and people elsewhere said of a span, as it was sent (gen_ai.evaluation.result, OpenInference annotations):
-- before the span or after it. A worker makes a verdict, a label or a proposed label of it once the span is there.
CREATE TABLE span_evaluation (
    id {id},
    project_id {integer} NOT NULL REFERENCES project (id),
    trace_id TEXT,
    span_id TEXT,
    response_id TEXT,               -- names the span by its answer; trace_id and span_id are then those of the evaluator
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    source TEXT NOT NULL CHECK (source IN ('human', 'model', 'code', 'unknown')),
    score {real},
    score_label TEXT,
    explanation TEXT,
    error TEXT,
    author TEXT,
    evaluator TEXT NOT NULL,
    blind {small} NOT NULL DEFAULT 0 CHECK (blind IN (0, 1)),         -- 1: a person who saw no suggestion; 0: the sender said nothing of it
    may_label {small} NOT NULL DEFAULT 0 CHECK (may_label IN (0, 1)), -- 1: the sender's key may label
    at {integer} NOT NULL,
    received_at {integer} NOT NULL,
    try_at {integer} NOT NULL,      -- not looked at before
    tries {integer} NOT NULL DEFAULT 0,
    joined {small} NOT NULL DEFAULT 0 CHECK (joined IN (0, 1)), -- 1: done
    digest TEXT NOT NULL,           -- SHA-256 in hex of what was sent: a sender's retry adds nothing
    CHECK (response_id IS NOT NULL OR (trace_id IS NOT NULL AND span_id IS NOT NULL)),
    UNIQUE (project_id, digest)
) {strict};

CREATE INDEX span_evaluation_waiting ON span_evaluation (try_at) WHERE joined = 0;
CREATE INDEX span_evaluation_by_arrival ON span_evaluation (received_at);
CREATE INDEX span_evaluation_by_trace ON span_evaluation (project_id, trace_id, span_id);
CREATE INDEX span_evaluation_by_response ON span_evaluation (project_id, response_id) WHERE response_id IS NOT NULL;

-- Projects whose verdicts are sent to another system. The server writes it at its start, by its settings.
CREATE TABLE evaluation_export (
    project_id {integer} PRIMARY KEY REFERENCES project (id),
    enabled {small} NOT NULL CHECK (enabled IN (0, 1))
) {strict};

-- Verdicts that are still to be sent. A trigger adds the row; it goes once the receiver has the verdict.
CREATE TABLE verdict_outbox (
    id {id},
    project_id {integer} NOT NULL,
    span_id {integer} NOT NULL,
    metric_version_id {integer} NOT NULL,
    validator_version TEXT NOT NULL,
    revision {integer} NOT NULL,
    leased_until {integer} NOT NULL DEFAULT 0
) {strict};
