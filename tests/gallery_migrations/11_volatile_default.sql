-- a default that differs from row to row: the table is rewritten
-- finds: volatile-default
-- keeps out: sales readers writers
-- waits: sales readers writers
SET lock_timeout = '5s';
ALTER TABLE sales ADD COLUMN lot double precision DEFAULT random();
