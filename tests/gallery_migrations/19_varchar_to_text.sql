-- varchar to text: only the catalogue changes
-- finds: nothing
-- keeps out: users readers writers
-- waits: users readers writers
SET lock_timeout = '5s';
ALTER TABLE users ALTER COLUMN name TYPE text;
