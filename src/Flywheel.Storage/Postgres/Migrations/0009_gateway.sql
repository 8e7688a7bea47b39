-- The gateway: what holds for the calls of a node.

-- JSON object with the settings that differ from the defaults.
CREATE TABLE gateway_policy (
    project_id BIGINT NOT NULL REFERENCES project (id),
    node TEXT NOT NULL CHECK (length(node) BETWEEN 1 AND 200),
    settings TEXT NOT NULL CHECK (settings::json IS NOT NULL),
    author TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, node)
);

-- A key that calls models spends money, so it is a scope of its own.
ALTER TABLE api_key DROP CONSTRAINT api_key_scope_check;
ALTER TABLE api_key ADD CONSTRAINT api_key_scope_check CHECK (scope IN ('ingest', 'read', 'admin', 'models'));
