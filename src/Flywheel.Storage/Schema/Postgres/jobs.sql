CREATE FUNCTION span_fans_out() RETURNS trigger LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO fan_out (project_id, span_ids)
    SELECT project_id, array_agg(id ORDER BY id) FROM added GROUP BY project_id;
    RETURN NULL;
END
$$;

CREATE TRIGGER span_fans_out AFTER INSERT ON span
REFERENCING NEW TABLE AS added
FOR EACH STATEMENT EXECUTE FUNCTION span_fans_out();

-- All rows of a queue change many times a minute: finished ones must not pile up in front of the next.
ALTER TABLE job SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000);
ALTER TABLE fan_out SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000);
