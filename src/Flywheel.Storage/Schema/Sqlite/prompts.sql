CREATE TRIGGER prompt_version_keeps BEFORE UPDATE ON prompt_version
BEGIN
    SELECT RAISE(ABORT, 'a prompt version is never edited: add a version');
END;
