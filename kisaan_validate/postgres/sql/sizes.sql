-- Bytes of each table, with its partitions and children. Asked only of tables on which the session holds a lock.
SELECT t.oid::bigint, sum(pg_relation_size(tree.oid))::bigint
FROM unnest(%(oids)s::oid[]) AS t (oid)
JOIN LATERAL (
    WITH RECURSIVE below (oid) AS (
        SELECT t.oid
        UNION
        SELECT i.inhrelid FROM below JOIN pg_inherits AS i ON i.inhparent = below.oid
    )
    SELECT oid FROM below
) AS tree ON true
GROUP BY t.oid
