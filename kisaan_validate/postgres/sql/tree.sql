-- What whoever reads each of these relations reads: itself, its partitions and children, the tables of a view.
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
