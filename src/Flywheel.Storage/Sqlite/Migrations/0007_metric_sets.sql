-- Segments (tenants, groups, users) that a metric is about: a JSON list of texts; null for all.
ALTER TABLE metric_version ADD COLUMN segments TEXT CHECK (segments IS NULL OR json_valid(segments));

-- A metric version on its way through past spans, from the newest at its start to older ones.
CREATE TABLE backfill (
    project_id INTEGER NOT NULL REFERENCES project (id),
    metric_version_id INTEGER NOT NULL REFERENCES metric_version (id),
    since INTEGER,                  -- spans that started earlier are left out; null for none
    wanted INTEGER,                 -- ends after so many pairs; null for no end
    below INTEGER NOT NULL,         -- spans from this row number on have been looked at
    total INTEGER NOT NULL,         -- spans that there were at its start
    looked INTEGER NOT NULL DEFAULT 0,
    queued INTEGER NOT NULL DEFAULT 0,
    skipped INTEGER NOT NULL DEFAULT 0,
    author TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    finished_at INTEGER,
    PRIMARY KEY (project_id, metric_version_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX backfill_open ON backfill (created_at) WHERE finished_at IS NULL;
