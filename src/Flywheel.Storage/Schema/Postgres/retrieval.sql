-- A change of an approved demonstration, or of a vector, moves the demonstration to the end of demonstration_change. A number
-- that is drawn early and committed late would appear behind a reader that is past it, and be missed. So writers of changes hold
-- one lock from drawing their number to their commit.
CREATE FUNCTION demonstration_changed(project BIGINT, demonstration TEXT) RETURNS void LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(4675198, 1);
    DELETE FROM demonstration_change WHERE project_id = project AND id = demonstration;
    INSERT INTO demonstration_change (project_id, id) VALUES (project, demonstration);
END
$$;

CREATE FUNCTION demonstration_changes() RETURNS trigger LANGUAGE plpgsql
AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        DELETE FROM embedding WHERE project_id = OLD.project_id AND owner = 'demonstration' AND owner_id = OLD.id;
        PERFORM demonstration_changed(OLD.project_id, OLD.id);
    ELSIF NEW.state = 'approved' OR (TG_OP = 'UPDATE' AND OLD.state = 'approved') THEN
        PERFORM demonstration_changed(NEW.project_id, NEW.id);
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER demonstration_changes AFTER INSERT OR UPDATE OR DELETE ON demonstration
FOR EACH ROW EXECUTE FUNCTION demonstration_changes();

CREATE FUNCTION embedding_changes() RETURNS trigger LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM demonstration_changed(NEW.project_id, NEW.owner_id);
    RETURN NULL;
END
$$;

CREATE TRIGGER embedding_changes AFTER INSERT OR UPDATE ON embedding
FOR EACH ROW WHEN (NEW.owner = 'demonstration')
EXECUTE FUNCTION embedding_changes();

CREATE FUNCTION correction_comes() RETURNS trigger LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM 1 FROM span WHERE project_id = NEW.project_id AND id = NEW.span_id FOR KEY SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'project % has no span %', NEW.project_id, NEW.span_id USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER correction_comes BEFORE INSERT ON correction
FOR EACH ROW EXECUTE FUNCTION correction_comes();

-- A correction makes a demonstration for its node. It waits for approval. It carries the correction's id, so that prompts that
-- name it still do after an export and an import.
CREATE FUNCTION correction_teaches() RETURNS trigger LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO demonstration (
        project_id, id, purpose, target, input, output, rejected_output, reason, disagreement, end_user, span_id, author,
        created_at, source_correction)
    SELECT NEW.project_id, NEW.id, 'task', node, input, NEW.corrected_output,
        CASE WHEN output <> NEW.corrected_output THEN output END,
        CASE
            WHEN NEW.went_wrong IS NOT NULL AND NEW.reasoning IS NOT NULL THEN NEW.went_wrong || chr(10) || NEW.reasoning
            ELSE coalesce(NEW.went_wrong, NEW.reasoning)
        END,
        CASE WHEN output = NEW.corrected_output THEN 0 ELSE 1 END, end_user, id, NEW.author, NEW.created_at, NEW.id
    FROM span
    WHERE project_id = NEW.project_id AND id = NEW.span_id AND input IS NOT NULL;
    RETURN NULL;
END
$$;

CREATE TRIGGER correction_teaches AFTER INSERT ON correction
FOR EACH ROW EXECUTE FUNCTION correction_teaches();

CREATE FUNCTION correction_goes() RETURNS trigger LANGUAGE plpgsql
AS $$
BEGIN
    DELETE FROM demonstration WHERE project_id = OLD.project_id AND source_correction = OLD.id;
    RETURN NULL;
END
$$;

CREATE TRIGGER correction_goes AFTER DELETE ON correction
FOR EACH ROW EXECUTE FUNCTION correction_goes();
