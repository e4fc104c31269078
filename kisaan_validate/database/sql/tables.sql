WITH RECURSIVE below AS (
    SELECT inhparent AS top, inhrelid AS oid FROM pg_inherits
    UNION
    SELECT below.top, i.inhrelid FROM below JOIN pg_inherits AS i ON i.inhparent = below.oid
)
SELECT c.oid::bigint AS oid, n.nspname, c.relname, c.relkind,
       has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT') AS selectable,
       has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE') AS writable,
       c.relrowsecurity, pg_get_userbyid(c.relowner), c.relispartition,
       greatest(c.reltuples, 0)::bigint AS estimated_rows,
       c.relkind <> 'p' AND EXISTS (SELECT FROM below WHERE below.top = c.oid) AS children,
       c.relkind = 'f' OR EXISTS (
           SELECT FROM below JOIN pg_class AS part ON part.oid = below.oid WHERE below.top = c.oid AND part.relkind = 'f'
       ) AS "foreign"
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname = ANY (%(schemas)s)
ORDER BY n.nspname, c.relname
