-- Applied before it is known what a database has.

-- A migration that was applied: version 1 is the whole schema, later ones change it.
CREATE TABLE IF NOT EXISTS schema_migration (
    number {integer} PRIMARY KEY,
    name TEXT NOT NULL,             -- such as 0001_schema
    applied_at {integer} NOT NULL
) {strict};
