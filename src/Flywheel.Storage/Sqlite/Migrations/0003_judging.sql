-- Judges: what they were taught, what they may spend, what they answered before, and how they are watched.

-- Share of a judge's items that the review queue serves without the judge's suggestion.
ALTER TABLE project ADD COLUMN blind_share REAL NOT NULL DEFAULT 0.25 CHECK (blind_share BETWEEN 0 AND 1);

-- Share of a judge's texts that are judged twice more with orders planted in them.
ALTER TABLE project ADD COLUMN canary_rate REAL NOT NULL DEFAULT 0.01 CHECK (canary_rate BETWEEN 0 AND 1);

-- A rule for the judges of a metric, with the labels (a JSON array of ids) that it was distilled from. Only approved ones reach a
-- prompt.
CREATE TABLE guideline (
    project_id INTEGER NOT NULL,
    id TEXT NOT NULL CHECK (length(id) = 36),
    metric_id INTEGER NOT NULL REFERENCES metric (id),
    text TEXT NOT NULL CHECK (length(text) BETWEEN 1 AND 1000),
    labels TEXT CHECK (labels IS NULL OR json_valid(labels)),
    state TEXT NOT NULL DEFAULT 'proposed' CHECK (state IN ('proposed', 'approved', 'removed')),
    author TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    approved_by TEXT,
    approved_at INTEGER,
    removed_by TEXT,
    removed_at INTEGER,
    PRIMARY KEY (project_id, id)
) STRICT;

CREATE INDEX guideline_by_metric ON guideline (project_id, metric_id, state);

-- What the judges of one metric may use in a UTC day; a metric without a row has the project's limits only.
CREATE TABLE metric_budget (
    project_id INTEGER NOT NULL,
    metric_id INTEGER NOT NULL REFERENCES metric (id),
    calls_per_day INTEGER CHECK (calls_per_day >= 0),
    usd_per_day REAL CHECK (usd_per_day >= 0),
    PRIMARY KEY (project_id, metric_id)
) STRICT, WITHOUT ROWID;

-- What they used. Reserved before a call, settled after it.
CREATE TABLE metric_budget_use (
    project_id INTEGER NOT NULL,
    metric_id INTEGER NOT NULL,
    day INTEGER NOT NULL,
    calls INTEGER NOT NULL,
    usd REAL NOT NULL,
    PRIMARY KEY (project_id, metric_id, day)
) STRICT, WITHOUT ROWID;

-- Answers that were paid for, by the hash of all that was asked. Bounded: the oldest go first.
CREATE TABLE judge_reply (
    project_id INTEGER NOT NULL,
    content_hash TEXT NOT NULL,
    span_id INTEGER,
    outcome TEXT NOT NULL CHECK (outcome IN ('pass', 'fail', 'unsure')),
    critique TEXT NOT NULL,
    confidence REAL CHECK (confidence BETWEEN 0 AND 1),
    model TEXT,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (project_id, content_hash)
) STRICT, WITHOUT ROWID;

CREATE INDEX judge_reply_by_age ON judge_reply (project_id, created_at);
CREATE INDEX judge_reply_by_span ON judge_reply (project_id, span_id);

-- A text with planted orders, and whether the judge did as it was told.
CREATE TABLE canary (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id INTEGER NOT NULL,
    metric_id INTEGER NOT NULL,
    span_id INTEGER NOT NULL,
    validator_version TEXT NOT NULL,
    told_to_pass TEXT NOT NULL CHECK (told_to_pass IN ('pass', 'fail', 'unsure', 'skipped', 'error')),
    told_to_fail TEXT NOT NULL CHECK (told_to_fail IN ('pass', 'fail', 'unsure', 'skipped', 'error')),
    obeyed INTEGER NOT NULL CHECK (obeyed IN (0, 1)),
    created_at INTEGER NOT NULL
) STRICT;

CREATE INDEX canary_by_metric ON canary (project_id, metric_id, id);
CREATE INDEX canary_by_span ON canary (project_id, span_id);

-- Something about a metric's judge that a person must look at; open until closed_at.
CREATE TABLE judge_alarm (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id INTEGER NOT NULL,
    metric_id INTEGER NOT NULL REFERENCES metric (id),
    kind TEXT NOT NULL CHECK (kind IN ('obedience', 'passrate', 'disagreement', 'anchors')),
    validator_version TEXT NOT NULL,
    detail TEXT NOT NULL,
    raised_at INTEGER NOT NULL,
    closed_at INTEGER,
    closed_by TEXT
) STRICT;

CREATE UNIQUE INDEX judge_alarm_open ON judge_alarm (project_id, metric_id, kind) WHERE closed_at IS NULL;
CREATE INDEX judge_alarm_by_metric ON judge_alarm (project_id, metric_id, id);

-- How the queue served a pair first, which is how it stays: without the judge's suggestion, or with it.
CREATE TABLE review_served (
    project_id INTEGER NOT NULL,
    span_id INTEGER NOT NULL,
    metric_id INTEGER NOT NULL,
    mode TEXT NOT NULL CHECK (mode IN ('blind', 'suggested')),
    validator_version TEXT NOT NULL,
    outcome TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (project_id, span_id, metric_id)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER span_leaves_judging BEFORE DELETE ON span
BEGIN
    DELETE FROM judge_reply WHERE project_id = OLD.project_id AND span_id = OLD.id;
    DELETE FROM canary WHERE project_id = OLD.project_id AND span_id = OLD.id;
    DELETE FROM review_served WHERE project_id = OLD.project_id AND span_id = OLD.id;
END;
