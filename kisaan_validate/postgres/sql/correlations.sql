-- How far the rows lie in the order of each column, as ANALYZE found: the view shows what the role may read.
SELECT c.oid::bigint, s.attname::text, s.correlation
FROM pg_stats AS s
JOIN pg_namespace AS n ON n.nspname = s.schemaname
JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = s.tablename
WHERE s.schemaname = ANY (%(schemas)s) AND NOT s.inherited AND s.correlation IS NOT NULL
