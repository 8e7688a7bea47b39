-- Judges: what they were taught, what they may spend, what they answered before, and how they are watched.

-- A rule for the judges of a metric. Only approved ones reach a prompt.
CREATE TABLE guideline (
    project_id {integer} NOT NULL,
    id TEXT NOT NULL CHECK (length(id) = 36),
    metric_id {integer} NOT NULL REFERENCES metric (id),
    text TEXT NOT NULL CHECK (length(text) BETWEEN 1 AND 1000),
    labels TEXT CHECK (labels IS NULL OR json_valid(labels)), -- JSON list of the ids of the labels that it was distilled from
    state TEXT NOT NULL DEFAULT 'proposed' CHECK (state IN ('proposed', 'approved', 'removed')),
    author TEXT NOT NULL,
    created_at {integer} NOT NULL,
    approved_by TEXT,
    approved_at {integer},
    removed_by TEXT,
    removed_at {integer},
    PRIMARY KEY (project_id, id)
) {strict};

CREATE INDEX guideline_by_metric ON guideline (project_id, metric_id, state);

-- What all judges of a project used of its limits in one UTC day. Reserved before a call, settled after it.
CREATE TABLE budget_use (
    project_id {integer} NOT NULL REFERENCES project (id),
    day {integer} NOT NULL,         -- midnight UTC
    calls {integer} NOT NULL,
    usd {real} NOT NULL,
    PRIMARY KEY (project_id, day)
) {strict};

-- What the judges of one metric may use in a UTC day. A metric without a row has the project's limits only.
CREATE TABLE metric_budget (
    project_id {integer} NOT NULL,
    metric_id {integer} NOT NULL REFERENCES metric (id),
    calls_per_day {integer} CHECK (calls_per_day >= 0), -- null: no limit
    usd_per_day {real} CHECK (usd_per_day >= 0),        -- null: no limit
    PRIMARY KEY (project_id, metric_id)
) {clustered};

-- What they used. Reserved before a call, settled after it.
CREATE TABLE metric_budget_use (
    project_id {integer} NOT NULL,
    metric_id {integer} NOT NULL,
    day {integer} NOT NULL,         -- midnight UTC
    calls {integer} NOT NULL,
    usd {real} NOT NULL,
    PRIMARY KEY (project_id, metric_id, day)
) {clustered};

-- A judge's answer that was paid for, so that the same question is not asked twice. The oldest are deleted beyond a number per
-- project.
CREATE TABLE judge_reply (
    project_id {integer} NOT NULL,
    content_hash TEXT NOT NULL,     -- hash of all that was asked
    span_id {integer},              -- the span in question; null for other texts
    outcome TEXT NOT NULL CHECK (outcome IN ('pass', 'fail', 'unsure')),
    critique TEXT NOT NULL,
    confidence {real} CHECK (confidence BETWEEN 0 AND 1),
    model TEXT,
    created_at {integer} NOT NULL,
    PRIMARY KEY (project_id, content_hash)
) {clustered};

CREATE INDEX judge_reply_by_age ON judge_reply (project_id, created_at);
CREATE INDEX judge_reply_by_span ON judge_reply (project_id, span_id);

-- What blind labels say of the judges of a metric version. Replaced as labels come.
CREATE TABLE judge_calibration (
    project_id {integer} NOT NULL REFERENCES project (id),
    metric_version_id {integer} NOT NULL REFERENCES metric_version (id),
    judge TEXT NOT NULL,            -- as in verdict.judge
    labels {integer} NOT NULL,      -- number of blind labels that it rests on
    plan TEXT NOT NULL CHECK (json_valid(plan)),     -- JSON: the fit and the line from which verdicts stand
    judges TEXT NOT NULL CHECK (json_valid(judges)), -- JSON: score and fit of each judge of a panel
    created_at {integer} NOT NULL,
    PRIMARY KEY (project_id, metric_version_id, judge)
) {clustered};

-- A text with planted orders, and whether the judge followed them.
CREATE TABLE canary (
    id {id},
    project_id {integer} NOT NULL,
    metric_id {integer} NOT NULL,
    span_id {integer} NOT NULL,
    validator_version TEXT NOT NULL,
    told_to_pass TEXT NOT NULL CHECK (told_to_pass IN ('pass', 'fail', 'unsure', 'skipped', 'error')), -- outcome when ordered to pass
    told_to_fail TEXT NOT NULL CHECK (told_to_fail IN ('pass', 'fail', 'unsure', 'skipped', 'error')), -- outcome when ordered to fail
    obeyed {small} NOT NULL CHECK (obeyed IN (0, 1)),
    created_at {integer} NOT NULL
) {strict};

CREATE INDEX canary_by_metric ON canary (project_id, metric_id, id);
CREATE INDEX canary_by_span ON canary (project_id, span_id);

-- Something about a metric's judge that a person must look at. Open until closed_at; at most one open one per metric and kind.
CREATE TABLE judge_alarm (
    id {id},
    project_id {integer} NOT NULL,
    metric_id {integer} NOT NULL REFERENCES metric (id),
    kind TEXT NOT NULL CHECK (kind IN ('obedience', 'passrate', 'disagreement', 'anchors')),
    validator_version TEXT NOT NULL,
    detail TEXT NOT NULL,
    raised_at {integer} NOT NULL,
    closed_at {integer},
    closed_by TEXT
) {strict};

CREATE UNIQUE INDEX judge_alarm_open ON judge_alarm (project_id, metric_id, kind) WHERE closed_at IS NULL;
CREATE INDEX judge_alarm_by_metric ON judge_alarm (project_id, metric_id, id);

-- A search for a better judge of one metric version. Answers are kept in judge_reply. A lease is visible_at in the future and a
-- worker's name; a wait (for a budget, after a fault) is visible_at in the future without a worker.
CREATE TABLE alignment_run (
    id {id},
    project_id {integer} NOT NULL,
    metric_id {integer} NOT NULL REFERENCES metric (id),
    metric_version_id {integer} NOT NULL REFERENCES metric_version (id),
    state TEXT NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'done', 'failed')),
    label_until {integer} NOT NULL, -- blind labels given later are left out
    plan TEXT NOT NULL CHECK (json_valid(plan)), -- JSON: what was decided on the way and must not be decided again
    done {integer} NOT NULL DEFAULT 0,  -- steps done
    total {integer} NOT NULL DEFAULT 0, -- steps in all
    cost_usd {real} NOT NULL DEFAULT 0,
    detail TEXT,                    -- why it waits or failed
    result TEXT CHECK (result IS NULL OR json_valid(result)),
    proposal_id {integer},          -- the proposal that it ended with; null: none
    author TEXT NOT NULL,
    created_at {integer} NOT NULL,
    ended_at {integer},
    visible_at {integer} NOT NULL,
    worker TEXT,
    attempts {integer} NOT NULL DEFAULT 0
) {strict};

CREATE UNIQUE INDEX alignment_run_open ON alignment_run (project_id, metric_id) WHERE state = 'running';
CREATE INDEX alignment_run_by_metric ON alignment_run (project_id, metric_id, id);

-- The frozen cases of a metric, about which its judge is asked again and again: a model that changes behind its name answers them
-- otherwise. A metric has at most one open set.
CREATE TABLE anchor_set (
    id {id},
    project_id {integer} NOT NULL,
    metric_id {integer} NOT NULL REFERENCES metric (id),
    author TEXT NOT NULL,
    created_at {integer} NOT NULL,
    replayed_at {integer},          -- start of the last replay; null: none yet, so that it is due
    closed_at {integer},
    closed_by TEXT
) {strict};

CREATE UNIQUE INDEX anchor_set_open ON anchor_set (project_id, metric_id) WHERE closed_at IS NULL;

-- One case with what people said of it blind.
CREATE TABLE anchor (
    project_id {integer} NOT NULL,
    set_id {integer} NOT NULL REFERENCES anchor_set (id),
    span_id {integer} NOT NULL,
    passed {small} NOT NULL CHECK (passed IN (0, 1)),
    PRIMARY KEY (project_id, set_id, span_id)
) {clustered};

CREATE INDEX anchor_by_span ON anchor (project_id, span_id);

-- All cases asked about once. A lease is visible_at in the future and a worker's name, as in job.
CREATE TABLE anchor_replay (
    id {id},
    project_id {integer} NOT NULL,
    set_id {integer} NOT NULL REFERENCES anchor_set (id),
    metric_version_id {integer} NOT NULL REFERENCES metric_version (id),
    state TEXT NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'done', 'failed')),
    -- The replay that it is compared with: the first of its metric version, until a person who closes an alarm accepts a later one.
    baseline_id {integer},
    comparison TEXT CHECK (comparison IS NULL OR json_valid(comparison)),
    alarmed {small} NOT NULL DEFAULT 0 CHECK (alarmed IN (0, 1)), -- 1: it raised an alarm
    cost_usd {real} NOT NULL DEFAULT 0,
    detail TEXT,                    -- why it waits or failed
    started_at {integer} NOT NULL,
    ended_at {integer},
    visible_at {integer} NOT NULL,
    worker TEXT,
    attempts {integer} NOT NULL DEFAULT 0
) {strict};

CREATE UNIQUE INDEX anchor_replay_running ON anchor_replay (project_id, set_id) WHERE state = 'running';
CREATE INDEX anchor_replay_by_set ON anchor_replay (project_id, set_id, id);

-- What a judge said of a case in a replay.
CREATE TABLE anchor_answer (
    project_id {integer} NOT NULL,
    replay_id {integer} NOT NULL REFERENCES anchor_replay (id),
    span_id {integer} NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('pass', 'fail', 'unsure', 'skipped', 'error')),
    validator_version TEXT NOT NULL,
    PRIMARY KEY (project_id, replay_id, span_id)
) {clustered};

CREATE INDEX anchor_answer_by_span ON anchor_answer (project_id, span_id);
