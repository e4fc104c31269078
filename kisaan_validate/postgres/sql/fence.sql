-- The physical file of each table and of its partitions: another file means truncated or rewritten.
SELECT t.oid::bigint, array_agg(c.relfilenode::bigint ORDER BY c.oid)
FROM unnest(%(oids)s::oid[]) AS t (oid)
JOIN LATERAL (
    WITH RECURSIVE tree (oid) AS (
        SELECT t.oid
        UNION
        SELECT i.inhrelid FROM tree JOIN pg_inherits AS i ON i.inhparent = tree.oid
    )
    SELECT pc.oid, pc.relfilenode FROM tree JOIN pg_class AS pc ON pc.oid = tree.oid
) AS c ON true
GROUP BY t.oid
