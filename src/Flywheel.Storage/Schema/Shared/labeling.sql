-- What people and the application said.

-- A person's answer for one metric on one span.
CREATE TABLE label (
    project_id {integer} NOT NULL,
    id TEXT NOT NULL CHECK (length(id) = 36),
    span_id {span} NOT NULL,
    metric_id {integer} NOT NULL{sqlite:  REFERENCES metric (id)},
    passed {small} CHECK (passed IN (0, 1)), -- 1 pass, 0 fail; null: the person was unsure, which makes neither gold nor a demonstration
    mode TEXT NOT NULL CHECK (mode IN ('blind', 'accepted', 'edited')), -- blind: the person saw no suggestion
    adjudicates {small} NOT NULL DEFAULT 0 CHECK (adjudicates IN (0, 1)), -- 1: decides between people who differed
    repeat {integer} NOT NULL DEFAULT 0 CHECK (repeat >= 0), -- 1 and more: asked again, so that a person can be compared with themselves
    critique TEXT,
    author TEXT NOT NULL,
    propensity {real} CHECK (propensity > 0 AND propensity <= 1), -- chance with which the item was drawn; null: it was not drawn
    created_at {integer} NOT NULL DEFAULT {now},
    PRIMARY KEY (project_id, id)
) {strict};

CREATE INDEX label_by_span ON label (project_id, span_id, metric_id);
CREATE INDEX label_by_metric ON label (project_id, metric_id, created_at);

-- What people said of each pair without seeing a suggestion: the only labels that calibrate and evaluate. Triggers on label keep
-- it equal to gold_recomputed.
CREATE TABLE gold (
    project_id {integer} NOT NULL,
    span_id {integer} NOT NULL,
    metric_id {integer} NOT NULL,
    passed {small} NOT NULL,
    label_id TEXT NOT NULL,         -- the label that decided
    -- With which the pair was drawn; 0: a person labelled it unasked; -1: it was picked for what it is (a likely failure), so that
    -- its label estimates nothing. A pair keeps the chance of its draw, whatever the label says.
    chance {real} NOT NULL DEFAULT 0,
    PRIMARY KEY (project_id, span_id, metric_id)
) {clustered};

-- A person's better output with what went wrong; the same output confirms it.
CREATE TABLE correction (
    project_id {integer} NOT NULL,
    id TEXT NOT NULL CHECK (length(id) = 36),
    span_id {span} NOT NULL,
    went_wrong TEXT,                -- null when the output is confirmed
    corrected_output TEXT NOT NULL,
    reasoning TEXT,
    author TEXT NOT NULL,
    created_at {integer} NOT NULL DEFAULT {now},
    PRIMARY KEY (project_id, id)
) {strict};

CREATE INDEX correction_by_span ON correction (project_id, span_id);

-- What the application learned of an answer. It may arrive before its span, so it names the span by the sender's ids.
CREATE TABLE feedback (
    project_id {integer} NOT NULL REFERENCES project (id),
    id TEXT NOT NULL CHECK (length(id) = 36),
    trace_id TEXT NOT NULL,
    span_id TEXT,                   -- null: it is about the whole trace
    session TEXT,                   -- set when it is about a session; trace_id is then the session's newest trace
    name TEXT NOT NULL,
    value TEXT NOT NULL CHECK (json_valid(value)), -- JSON number, boolean or text
    comment TEXT,
    end_user TEXT,
    created_at {integer} NOT NULL DEFAULT {now},
    PRIMARY KEY (project_id, id)
) {strict};

CREATE INDEX feedback_by_trace ON feedback (project_id, trace_id);
CREATE INDEX feedback_by_age ON feedback (project_id, created_at, id);

-- A model's pass (1) or fail (0) for one metric on one span, for a person to accept or change. Never a label.
CREATE TABLE proposed_label (
    project_id {integer} NOT NULL,
    span_id {span} NOT NULL,
    metric_id {integer} NOT NULL REFERENCES metric (id),
    author TEXT NOT NULL CHECK (length(author) BETWEEN 1 AND 200),
    passed {small} NOT NULL CHECK (passed IN (0, 1)),
    critique TEXT NOT NULL,
    confidence {real} CHECK (confidence BETWEEN 0 AND 1),
    created_at {integer} NOT NULL,
    PRIMARY KEY (project_id, span_id, metric_id, author)
) {clustered};

-- A comment or an open-coding note about a span, a trace or a metric.
CREATE TABLE note (
    project_id {integer} NOT NULL REFERENCES project (id),
    id TEXT NOT NULL CHECK (length(id) = 36),
    span_id {span},                 -- what it is about: exactly one of the three is set
    trace_id TEXT,
    metric_id {integer} REFERENCES metric (id),
    text TEXT NOT NULL CHECK (length(text) BETWEEN 1 AND 10000),
    author TEXT NOT NULL,
    created_at {integer} NOT NULL DEFAULT {now},
    PRIMARY KEY (project_id, id),
    CHECK (CASE WHEN span_id IS NULL THEN 0 ELSE 1 END + CASE WHEN trace_id IS NULL THEN 0 ELSE 1 END
        + CASE WHEN metric_id IS NULL THEN 0 ELSE 1 END = 1)
) {strict};

CREATE INDEX note_by_span ON note (project_id, span_id) WHERE span_id IS NOT NULL;
CREATE INDEX note_by_trace ON note (project_id, trace_id) WHERE trace_id IS NOT NULL;
CREATE INDEX note_by_metric ON note (project_id, metric_id) WHERE metric_id IS NOT NULL;
