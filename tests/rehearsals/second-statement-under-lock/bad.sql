SET lock_timeout = '2s';
BEGIN;
ALTER TABLE books ADD COLUMN genre text;
UPDATE authors SET name = upper(name);
COMMIT;
