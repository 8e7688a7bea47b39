-- Messages of spans that came apart from them, as OpenTelemetry's log records do: before their span or after it. A worker adds
-- them to the span (joined = 1) when it pairs the span with metrics. They are kept for a while, because a later one of the same
-- span is added together with those that came before.
CREATE TABLE span_text (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id INTEGER NOT NULL REFERENCES project (id),
    trace_id TEXT NOT NULL,
    span_id TEXT NOT NULL,
    place TEXT NOT NULL CHECK (place IN ('input', 'output', 'system')),
    at INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    messages TEXT NOT NULL CHECK (json_valid(messages)),
    text TEXT,
    is_user INTEGER NOT NULL DEFAULT 0 CHECK (is_user IN (0, 1)),
    joined INTEGER NOT NULL DEFAULT 0 CHECK (joined IN (0, 1)),
    received_at INTEGER NOT NULL,
    -- SHA-256 in hex of everything above that was sent: a sender's retry adds nothing.
    digest TEXT NOT NULL,
    UNIQUE (project_id, trace_id, span_id, digest)
) STRICT;

CREATE INDEX span_text_by_arrival ON span_text (received_at);

-- What waits for its span; empty most of the time, so looking costs nothing.
CREATE INDEX span_text_waiting ON span_text (project_id, trace_id, span_id) WHERE joined = 0;

CREATE TRIGGER span_text_goes BEFORE DELETE ON span
BEGIN
    DELETE FROM span_text WHERE project_id = OLD.project_id AND trace_id = OLD.trace_id AND span_id = OLD.span_id;
END;
