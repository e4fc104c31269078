-- ADD UNIQUE builds its index while nobody can read
-- finds: index-not-concurrent
-- keeps out: users readers writers
-- waits: users readers writers
SET lock_timeout = '5s';
ALTER TABLE users ADD CONSTRAINT users_email UNIQUE (email);
