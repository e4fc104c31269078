-- a NOT NULL column with a constant default: no row is touched
-- finds: nothing
-- keeps out: sales readers writers
-- waits: sales readers writers
SET lock_timeout = '5s';
ALTER TABLE sales ADD COLUMN copies integer NOT NULL DEFAULT 1;
