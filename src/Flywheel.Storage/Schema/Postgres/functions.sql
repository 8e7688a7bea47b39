-- Applied before the tables: what their columns and triggers use.
--
-- PostgreSQL has many writers; SQLite has one. So that counts stay exact, a transaction that changes what is counted of a span
-- holds the span's row until it commits: verdicts FOR KEY SHARE (they do not wait for each other), labels and deletions FOR UPDATE.
-- The lock is taken first and the data read afterwards: under READ COMMITTED each statement of a trigger sees what was committed
-- before it, so of a verdict and a label that meet on a span the later one sees the earlier one and moves it to its cell. Locks
-- are taken in the order of ids.

-- Now, in microseconds since 1970 UTC.
CREATE FUNCTION flywheel_now() RETURNS BIGINT LANGUAGE sql VOLATILE
AS $$ SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint $$;

-- SQLite has a function of this name. Here a text that is no JSON is an error with its reason. Null gives false.
CREATE FUNCTION json_valid(value TEXT) RETURNS BOOLEAN LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT value::json IS NOT NULL $$;

-- Refuses what fires it, with the message that the trigger names.
CREATE FUNCTION flywheel_refuse() RETURNS trigger LANGUAGE plpgsql
AS $$
BEGIN
    RAISE EXCEPTION '%', TG_ARGV[0];
END
$$;
