-- The tables with rows of their own that partitioned tables, and tables with children, are made of. inhdetachpending came with 14.
WITH RECURSIVE tree (top, oid) AS (
    SELECT o, o FROM unnest(%(oids)s::oid[]) AS o
    UNION
    SELECT t.top, i.inhrelid FROM tree AS t JOIN pg_inherits AS i ON i.inhparent = t.oid
    WHERE NOT coalesce((to_jsonb(i) ->> 'inhdetachpending')::boolean, false)
)
SELECT t.top::bigint, n.nspname, c.relname
FROM tree AS t
JOIN pg_class AS c ON c.oid = t.oid AND c.relkind IN ('r', 'm', 'f')
JOIN pg_namespace AS n ON n.oid = c.relnamespace
ORDER BY t.top, n.nspname, c.relname
