-- A change of an approved demonstration, or of a vector, moves the demonstration to the end of demonstration_change.
CREATE TRIGGER demonstration_appears AFTER INSERT ON demonstration
WHEN NEW.state = 'approved'
BEGIN
    DELETE FROM demonstration_change WHERE project_id = NEW.project_id AND id = NEW.id;
    INSERT INTO demonstration_change (project_id, id) VALUES (NEW.project_id, NEW.id);
END;

CREATE TRIGGER demonstration_changes AFTER UPDATE ON demonstration
WHEN NEW.state = 'approved' OR OLD.state = 'approved'
BEGIN
    DELETE FROM demonstration_change WHERE project_id = NEW.project_id AND id = NEW.id;
    INSERT INTO demonstration_change (project_id, id) VALUES (NEW.project_id, NEW.id);
END;

CREATE TRIGGER demonstration_goes AFTER DELETE ON demonstration
BEGIN
    DELETE FROM embedding WHERE project_id = OLD.project_id AND owner = 'demonstration' AND owner_id = OLD.id;
    DELETE FROM demonstration_change WHERE project_id = OLD.project_id AND id = OLD.id;
    INSERT INTO demonstration_change (project_id, id) VALUES (OLD.project_id, OLD.id);
END;

CREATE TRIGGER embedding_appears AFTER INSERT ON embedding
WHEN NEW.owner = 'demonstration'
BEGIN
    DELETE FROM demonstration_change WHERE project_id = NEW.project_id AND id = NEW.owner_id;
    INSERT INTO demonstration_change (project_id, id) VALUES (NEW.project_id, NEW.owner_id);
END;

CREATE TRIGGER embedding_changes AFTER UPDATE ON embedding
WHEN NEW.owner = 'demonstration'
BEGIN
    DELETE FROM demonstration_change WHERE project_id = NEW.project_id AND id = NEW.owner_id;
    INSERT INTO demonstration_change (project_id, id) VALUES (NEW.project_id, NEW.owner_id);
END;

-- A correction makes a demonstration for its node. It waits for approval. It carries the correction's id, so that prompts that
-- name it still do after an export and an import.
CREATE TRIGGER correction_teaches AFTER INSERT ON correction
BEGIN
    INSERT INTO demonstration (
        project_id, id, purpose, target, input, output, rejected_output, reason, disagreement, end_user, span_id, author,
        created_at, source_correction)
    SELECT NEW.project_id, NEW.id, 'task', node, input, NEW.corrected_output, CASE WHEN output <> NEW.corrected_output THEN output END,
        CASE
            WHEN NEW.went_wrong IS NOT NULL AND NEW.reasoning IS NOT NULL THEN NEW.went_wrong || char(10) || NEW.reasoning
            ELSE coalesce(NEW.went_wrong, NEW.reasoning)
        END,
        CASE WHEN output = NEW.corrected_output THEN 0 ELSE 1 END, end_user, id, NEW.author, NEW.created_at, NEW.id
    FROM span
    WHERE id = NEW.span_id AND project_id = NEW.project_id AND input IS NOT NULL;
END;

CREATE TRIGGER correction_goes AFTER DELETE ON correction
BEGIN
    DELETE FROM demonstration WHERE project_id = OLD.project_id AND source_correction = OLD.id;
END;

