-- Prompts by name, feedback in more shapes, and what a span is looked for by.

-- One wording of a prompt, numbered from 1. Never edited: spans name the version that they ran.
CREATE TABLE prompt_version (
    project_id INTEGER NOT NULL REFERENCES project (id),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    number INTEGER NOT NULL CHECK (number >= 1),
    type TEXT NOT NULL CHECK (type IN ('text', 'chat')),
    template TEXT NOT NULL,
    config TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(config)),
    note TEXT,
    author TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (project_id, name, number)
) STRICT;

CREATE TRIGGER prompt_version_keeps BEFORE UPDATE ON prompt_version
BEGIN
    SELECT RAISE(ABORT, 'a prompt version is never edited: add a version');
END;

-- A name that points at a version; `latest` is not stored.
CREATE TABLE prompt_label (
    project_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    label TEXT NOT NULL CHECK (length(label) BETWEEN 1 AND 100 AND label <> 'latest'),
    number INTEGER NOT NULL,
    author TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (project_id, name, label),
    FOREIGN KEY (project_id, name, number) REFERENCES prompt_version (project_id, name, number)
) STRICT;

-- A protected label that is to move, until a person decides.
CREATE TABLE prompt_proposal (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    label TEXT NOT NULL,
    number INTEGER NOT NULL,
    from_number INTEGER,
    reason TEXT,
    state TEXT NOT NULL DEFAULT 'proposed' CHECK (state IN ('proposed', 'approved', 'rejected')),
    author TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    decided_by TEXT,
    decided_at INTEGER,
    FOREIGN KEY (project_id, name, number) REFERENCES prompt_version (project_id, name, number)
) STRICT;

CREATE INDEX prompt_proposal_by_project ON prompt_proposal (project_id, id);

-- Labels that move only with a person's approval: a JSON list; null for none.
ALTER TABLE project ADD COLUMN protected_labels TEXT CHECK (protected_labels IS NULL OR json_valid(protected_labels));

-- Copied out of a span's attributes where it is stored, so that they can be looked for.
ALTER TABLE span ADD COLUMN response_id TEXT;
ALTER TABLE span ADD COLUMN prompt TEXT;
ALTER TABLE span ADD COLUMN prompt_version INTEGER;

CREATE INDEX span_by_response ON span (project_id, response_id) WHERE response_id IS NOT NULL;
CREATE INDEX span_by_prompt ON span (project_id, prompt, prompt_version, started_at) WHERE prompt IS NOT NULL;
CREATE INDEX span_by_session ON span (project_id, session) WHERE session IS NOT NULL;

-- The session that feedback is about; it then stands under the session's newest trace.
ALTER TABLE feedback ADD COLUMN session TEXT;

CREATE INDEX feedback_by_age ON feedback (project_id, created_at, id);
