-- How many blocks a table has, with its partitions and children the largest of them; NULL where one is no ordinary heap.
WITH RECURSIVE part (root, oid) AS (
    SELECT o, o FROM unnest(%(oids)s::oid[]) AS o
    UNION ALL
    SELECT p.root, i.inhrelid FROM part AS p JOIN pg_inherits AS i ON i.inhparent = p.oid
)
SELECT p.root::bigint,
       CASE WHEN bool_and(c.relkind = 'p' OR (c.relkind IN ('r', 'm') AND c.relam = 2))
            THEN max(coalesce(CASE WHEN c.relkind <> 'p' THEN pg_relation_size(c.oid) END, 0)) / current_setting('block_size')::int
       END::bigint
FROM part AS p JOIN pg_class AS c ON c.oid = p.oid
GROUP BY p.root
