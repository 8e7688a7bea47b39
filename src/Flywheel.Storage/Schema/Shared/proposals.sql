-- Suggested changes, until a person decides.

-- kind and action say how base, change and evidence read. Approval carries the change out in the same transaction, and is refused
-- when base no longer holds. A prompt's action `move` is a protected label that is to point at another version: base is
-- {"label", "from"} (from: the version that it points to; null: none), change is {"number"}, evidence {"reason"}.
CREATE TABLE proposal (
    id {id},
    project_id {integer} NOT NULL REFERENCES project (id),
    kind TEXT NOT NULL CHECK (kind IN ('metric', 'prompt', 'demonstration', 'probe', 'experiment')),
    action TEXT NOT NULL CHECK (action IN ('add', 'change', 'retire', 'move')),
    subject TEXT NOT NULL CHECK (length(subject) BETWEEN 1 AND 200), -- name of what would change
    summary TEXT NOT NULL,
    base TEXT NOT NULL CHECK (json_valid(base)),         -- JSON: what the change starts from
    change TEXT NOT NULL CHECK (json_valid(change)),     -- JSON: what would change
    evidence TEXT NOT NULL CHECK (json_valid(evidence)), -- JSON: why it should
    state TEXT NOT NULL DEFAULT 'proposed' CHECK (state IN ('proposed', 'approved', 'rejected')),
    author TEXT NOT NULL,
    created_at {integer} NOT NULL,
    decided_by TEXT,
    decided_at {integer},
    reason TEXT                     -- why it was decided so
) {strict};

CREATE INDEX proposal_by_project ON proposal (project_id, id);
