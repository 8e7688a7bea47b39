-- The gateway: what holds for the calls of a node.

-- JSON object with the settings that differ from the defaults.
CREATE TABLE gateway_policy (
    project_id INTEGER NOT NULL REFERENCES project (id),
    node TEXT NOT NULL CHECK (length(node) BETWEEN 1 AND 200),
    settings TEXT NOT NULL CHECK (json_valid(settings)),
    author TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (project_id, node)
) STRICT, WITHOUT ROWID;

-- A key that calls models spends money, so it is a scope of its own; SQLite changes a CHECK only with the table.
CREATE TABLE api_key_new (
    project_id INTEGER NOT NULL REFERENCES project (id),
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    prefix TEXT NOT NULL,
    secret_hash TEXT NOT NULL UNIQUE,
    scope TEXT NOT NULL CHECK (scope IN ('ingest', 'read', 'admin', 'models')),
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    revoked_at INTEGER,
    PRIMARY KEY (project_id, id)
) STRICT;

INSERT INTO api_key_new (project_id, id, name, prefix, secret_hash, scope, created_at, expires_at, revoked_at)
SELECT project_id, id, name, prefix, secret_hash, scope, created_at, expires_at, revoked_at
FROM api_key;

DROP TABLE api_key;

ALTER TABLE api_key_new RENAME TO api_key;
