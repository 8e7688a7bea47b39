-- What applies to the calls of a node through the gateway.
CREATE TABLE gateway_policy (
    project_id {integer} NOT NULL REFERENCES project (id),
    node TEXT NOT NULL CHECK (length(node) BETWEEN 1 AND 200),
    settings TEXT NOT NULL CHECK (json_valid(settings)), -- JSON object of the settings that differ from the defaults
    author TEXT NOT NULL,
    updated_at {integer} NOT NULL,
    PRIMARY KEY (project_id, node)
) {clustered};
