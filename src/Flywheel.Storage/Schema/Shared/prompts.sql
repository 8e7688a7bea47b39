-- Prompts by name.

-- One wording of a prompt. Never edited (a trigger refuses it): spans name the version that they ran.
CREATE TABLE prompt_version (
    project_id {integer} NOT NULL REFERENCES project (id),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    number {integer} NOT NULL CHECK (number >= 1), -- from 1 per name
    type TEXT NOT NULL CHECK (type IN ('text', 'chat')),
    template TEXT NOT NULL,         -- a text, or JSON messages for chat
    config TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(config)), -- JSON object: model and sampling
    note TEXT,
    author TEXT NOT NULL,
    created_at {integer} NOT NULL,
    PRIMARY KEY (project_id, name, number)
) {strict};

-- A name that points at a version of a prompt, such as production. `latest` is computed and never stored.
CREATE TABLE prompt_label (
    project_id {integer} NOT NULL,
    name TEXT NOT NULL,
    label TEXT NOT NULL CHECK (length(label) BETWEEN 1 AND 100 AND label <> 'latest'),
    number {integer} NOT NULL,
    author TEXT NOT NULL,
    updated_at {integer} NOT NULL,
    PRIMARY KEY (project_id, name, label),
    FOREIGN KEY (project_id, name, number) REFERENCES prompt_version (project_id, name, number)
) {strict};
