-- a table of the migration's own: nobody else knows it
-- finds: nothing
-- keeps out: nobody
-- waits: nobody
SET lock_timeout = '5s';
BEGIN;
CREATE TABLE lots (id integer PRIMARY KEY, name text);
INSERT INTO lots SELECT g, 'lot' FROM generate_series(1, 1000) g;
CREATE INDEX lots_by_name ON lots (name);
ALTER TABLE lots ALTER COLUMN name SET NOT NULL;
COMMIT;
