-- varchar(40) to varchar(80): only the catalogue changes
-- finds: nothing
-- keeps out: users readers writers
-- waits: users readers writers
SET lock_timeout = '5s';
ALTER TABLE users ALTER COLUMN name TYPE varchar(80);
