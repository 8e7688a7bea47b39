-- A span costs its own row only. Spans past the cursor wait to be paired with the metrics: row numbers rise in the order of commits, since
-- there is one writer at a time and AUTOINCREMENT gives none twice. A trigger on INSERT made SQLite keep an image of every page that a
-- statement changed, in case it had to be undone: a sixth of a batch's time.

-- Rows up to span_id are paired.
CREATE TABLE fan_out_cursor (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    span_id INTEGER NOT NULL
) STRICT;

-- What waits in fan_out already, goes on waiting there; since now it holds spans that are to be paired again.
INSERT INTO fan_out_cursor (only, span_id)
VALUES (1, coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'span'), 0));

DROP TRIGGER span_fans_out;

-- A list of three words and more is built anew as a table of its own for each row that is checked: comparisons are not. The words are
-- the same, so what is stored stays valid.
PRAGMA writable_schema = ON;
UPDATE sqlite_schema
SET sql = replace(sql,
    'kind IN (''other'', ''classifier'', ''writer'', ''codegen'', ''retriever'', ''tool'')',
    'kind = ''other'' OR kind = ''classifier'' OR kind = ''writer'' OR kind = ''codegen'' OR kind = ''retriever'' OR kind = ''tool''')
WHERE type = 'table' AND name = 'span';
UPDATE sqlite_schema
SET sql = replace(sql,
    'outcome IN (''pass'', ''fail'', ''unsure'', ''skipped'', ''error'')',
    'outcome = ''pass'' OR outcome = ''fail'' OR outcome = ''unsure'' OR outcome = ''skipped'' OR outcome = ''error''')
WHERE type = 'table' AND name = 'verdict';
PRAGMA writable_schema = RESET;
