CREATE TRIGGER prompt_version_keeps BEFORE UPDATE ON prompt_version
FOR EACH ROW EXECUTE FUNCTION flywheel_refuse('a prompt version is never edited: add a version');
