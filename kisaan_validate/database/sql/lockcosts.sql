-- How many relations a lock on each table takes (partitions, children, what a view shows), and how many indexes reading it locks beside.
WITH RECURSIVE tree (root, oid) AS (
    SELECT t.oid, t.oid FROM unnest(%(oids)s::oid[]) AS t (oid)
    UNION
    SELECT tree.root, below.oid FROM tree CROSS JOIN LATERAL (
        SELECT i.inhrelid AS oid FROM pg_inherits AS i WHERE i.inhparent = tree.oid
        UNION ALL
        SELECT d.refobjid FROM pg_rewrite AS r
        JOIN pg_class AS v ON v.oid = r.ev_class AND v.relkind = 'v'
        JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass
        WHERE r.ev_class = tree.oid
    ) AS below
)
SELECT tree.root::bigint, count(*), coalesce(sum((SELECT count(*) FROM pg_index AS i WHERE i.indrelid = tree.oid)), 0)::bigint
FROM tree
GROUP BY tree.root
