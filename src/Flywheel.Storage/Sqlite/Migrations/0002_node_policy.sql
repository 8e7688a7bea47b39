-- What someone decided for one node: how its demonstrations are chosen. A node without a row runs under the defaults.
CREATE TABLE node_policy (
    project_id INTEGER NOT NULL REFERENCES project (id),
    node TEXT NOT NULL CHECK (length(node) BETWEEN 1 AND 200),
    retrieval TEXT NOT NULL CHECK (json_valid(retrieval)),
    author TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (project_id, node)
) STRICT, WITHOUT ROWID;
