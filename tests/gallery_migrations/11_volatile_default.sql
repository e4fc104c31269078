-- a default that differs from row to row: the table is written anew
-- finds: volatile-default
-- keeps out: sales readers writers
-- waits: sales readers writers
SET lock_timeout = '5s';
ALTER TABLE sales ADD COLUMN lot double precision DEFAULT random();
