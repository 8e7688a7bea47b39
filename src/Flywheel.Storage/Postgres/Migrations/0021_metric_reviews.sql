-- Metrics in code are looked at again by a person: when, what they saw and what they decided.

-- Days between two reviews; 0 is never.
ALTER TABLE project ADD COLUMN metric_review_days BIGINT NOT NULL DEFAULT 90 CHECK (metric_review_days BETWEEN 0 AND 3650);

-- The metric's own days; null follows the project.
ALTER TABLE metric ADD COLUMN review_days BIGINT CHECK (review_days BETWEEN 0 AND 3650);

-- newest_span: the project's newest span at the time, so that the next review knows what came later. evidence: what the person could see.
CREATE TABLE metric_review (
    project_id BIGINT NOT NULL REFERENCES project (id),
    metric_id BIGINT NOT NULL REFERENCES metric (id),
    number BIGINT NOT NULL,
    metric_version_id BIGINT NOT NULL REFERENCES metric_version (id),
    decision TEXT NOT NULL CHECK (decision IN ('keep', 'change', 'retire')),
    note TEXT,
    author TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    newest_span BIGINT NOT NULL,
    evidence TEXT NOT NULL,
    PRIMARY KEY (project_id, metric_id, number)
);
