-- a renamed column: the running build does not find it
-- finds: renamed-in-use
-- keeps out: users readers writers
-- waits: users readers writers
SET lock_timeout = '5s';
ALTER TABLE users RENAME COLUMN name TO full_name;
