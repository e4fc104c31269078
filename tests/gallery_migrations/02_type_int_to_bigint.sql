-- a key that runs out: int to bigint rewrites table and indexes
-- finds: rewrite-under-lock
-- keeps out: payments readers writers
-- waits: payments readers writers
SET lock_timeout = '5s';
ALTER TABLE payments ALTER COLUMN id TYPE bigint;
