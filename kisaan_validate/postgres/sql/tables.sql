WITH RECURSIVE below AS (
    SELECT inhparent AS top, inhrelid AS oid FROM pg_inherits
    UNION
    SELECT below.top, i.inhrelid FROM below JOIN pg_inherits AS i ON i.inhparent = below.oid
),
-- Foreign tables, and what shows their rows: parents, and views over any of these. A materialized view holds rows of its own.
remote AS (
    SELECT oid FROM pg_class WHERE relkind = 'f'
    UNION
    SELECT above.oid FROM remote CROSS JOIN LATERAL (
        SELECT i.inhparent AS oid FROM pg_inherits AS i WHERE i.inhrelid = remote.oid
        UNION ALL
        SELECT v.oid FROM pg_depend AS d
        JOIN pg_rewrite AS r ON r.oid = d.objid
        JOIN pg_class AS v ON v.oid = r.ev_class AND v.relkind = 'v'
        WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = remote.oid
    ) AS above
)
SELECT c.oid::bigint AS oid, n.nspname, c.relname, c.relkind,
       has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT') AS selectable,
       has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE') AS writable,
       c.relrowsecurity, pg_get_userbyid(c.relowner), c.relispartition,
       greatest(c.reltuples, 0)::bigint AS estimated_rows,
       c.relkind <> 'p' AND EXISTS (SELECT FROM below WHERE below.top = c.oid) AS children,
       c.oid IN (SELECT remote.oid FROM remote) AS "foreign"
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname = ANY (%(schemas)s)
ORDER BY n.nspname, c.relname
