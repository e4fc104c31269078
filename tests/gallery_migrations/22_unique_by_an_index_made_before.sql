-- UNIQUE by an index that was built concurrently: a moment's lock
-- finds: nothing
-- keeps out: users readers writers
-- waits: nobody
SET lock_timeout = '5s';
CREATE UNIQUE INDEX CONCURRENTLY users_email ON users (email);
ALTER TABLE users ADD CONSTRAINT users_email UNIQUE USING INDEX users_email;
