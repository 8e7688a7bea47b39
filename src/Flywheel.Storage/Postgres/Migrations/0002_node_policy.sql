-- What someone decided for one node: how its demonstrations are chosen. A node without a row runs under the defaults.
CREATE TABLE node_policy (
    project_id BIGINT NOT NULL REFERENCES project (id),
    node TEXT NOT NULL CHECK (length(node) BETWEEN 1 AND 200),
    retrieval TEXT NOT NULL,
    author TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, node)
);
