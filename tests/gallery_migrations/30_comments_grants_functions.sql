-- comments, a function, statistics: nobody waits
-- finds: nothing
-- keeps out: nobody
-- waits: nobody
SET lock_timeout = '5s';
COMMENT ON TABLE sales IS 'what was sold';
CREATE FUNCTION half(numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS 'SELECT $1 / 2';
ANALYZE sales;
