-- Segments (tenants, groups, users) that a metric is about: a JSON list of texts; null for all.
ALTER TABLE metric_version ADD COLUMN segments TEXT CHECK (segments IS NULL OR segments::json IS NOT NULL);

-- A metric version on its way through past spans, from the newest at its start to older ones.
CREATE TABLE backfill (
    project_id BIGINT NOT NULL REFERENCES project (id),
    metric_version_id BIGINT NOT NULL REFERENCES metric_version (id),
    since BIGINT,                  -- spans that started earlier are left out; null for none
    wanted BIGINT,                 -- ends after so many pairs; null for no end
    below BIGINT NOT NULL,         -- spans from this row number on have been looked at
    total BIGINT NOT NULL,         -- spans that there were at its start
    looked BIGINT NOT NULL DEFAULT 0,
    queued BIGINT NOT NULL DEFAULT 0,
    skipped BIGINT NOT NULL DEFAULT 0,
    author TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    finished_at BIGINT,
    PRIMARY KEY (project_id, metric_version_id)
);

CREATE INDEX backfill_open ON backfill (created_at) WHERE finished_at IS NULL;
