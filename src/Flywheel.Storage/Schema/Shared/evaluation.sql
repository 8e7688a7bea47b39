-- Runs of `flywheel eval`. Their results are no verdicts: nothing is counted, queued or sent because of them.

-- One run over one data set with one set of metrics.
CREATE TABLE eval_run (
    id {id},
    project_id {integer} NOT NULL REFERENCES project (id),
    data TEXT NOT NULL,             -- name of the file, or data set and version
    data_hash TEXT NOT NULL,        -- SHA-256; with set_hash what an unfinished run is found by
    set_hash TEXT NOT NULL,         -- SHA-256 of the metrics, their validators' versions and the field mapping
    metrics TEXT NOT NULL CHECK (json_valid(metrics)), -- JSON: the metrics' definitions
    names TEXT NOT NULL CHECK (json_valid(names)),     -- JSON list of the metrics' names; results name a metric by its place in it, from 0
    about TEXT CHECK (about IS NULL OR json_valid(about)), -- JSON: what made the outputs, and the run's name; null: neither
    started_at {integer} NOT NULL,
    finished_at {integer}           -- null while it runs, and when it was cut short
) {strict};

CREATE INDEX eval_run_by_project ON eval_run (project_id, id);
CREATE INDEX eval_run_by_hash ON eval_run (project_id, data_hash, set_hash);

-- An output that a model made for a row. Kept as soon as it was paid for, before it is checked.
CREATE TABLE eval_output (
    project_id {integer} NOT NULL,
    run_id {integer} NOT NULL REFERENCES eval_run (id),
    row {integer} NOT NULL,         -- line number or place in the data set, from 1
    output TEXT,
    error TEXT,                     -- why there is no output
    input_tokens {integer},
    output_tokens {integer},
    cost_usd {real} NOT NULL,
    latency_ms {real} NOT NULL,
    model TEXT,
    demonstrations TEXT CHECK (demonstrations IS NULL OR json_valid(demonstrations)), -- JSON list of the ids in its prompt
    PRIMARY KEY (project_id, run_id, row)
) {clustered};

-- A row that was checked. It is here together with all its results, or not at all.
CREATE TABLE eval_case (
    project_id {integer} NOT NULL,
    run_id {integer} NOT NULL REFERENCES eval_run (id),
    row {integer} NOT NULL,
    id TEXT NOT NULL,               -- the row's own id, else its number
    excerpt TEXT,                   -- the beginning of the output, for people
    expected TEXT,                  -- the right class; null when the row names none
    predicted TEXT,                 -- the output as a class; null when there is no output or nothing to compare it with
    PRIMARY KEY (project_id, run_id, row)
) {clustered};

-- What one metric gave a row.
CREATE TABLE eval_result (
    project_id {integer} NOT NULL,
    run_id {integer} NOT NULL REFERENCES eval_run (id),
    row {integer} NOT NULL,
    metric {integer} NOT NULL,      -- place in eval_run.names, from 0
    outcome TEXT NOT NULL
        CHECK (outcome = 'pass' OR outcome = 'fail' OR outcome = 'unsure' OR outcome = 'skipped' OR outcome = 'error'),
    score {real},
    confidence {real},              -- calibrated, else as the judge gave it
    reason TEXT,
    cost_usd {real} NOT NULL,
    model TEXT,
    PRIMARY KEY (project_id, run_id, row, metric)
) {clustered};
