-- The definitions of all views reachable from the named ones.
WITH RECURSIVE reachable (oid) AS (
    SELECT c.oid FROM pg_class AS c
    WHERE c.oid = ANY (%(oids)s::oid[]) AND c.relkind IN ('v', 'm')
    UNION
    SELECT c.oid
    FROM reachable AS r
    JOIN pg_rewrite AS w ON w.ev_class = r.oid
    JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid AND d.refclassid = 'pg_class'::regclass
    JOIN pg_class AS c ON c.oid = d.refobjid AND c.relkind = 'v'
)
SELECT r.oid::bigint, pg_get_viewdef(r.oid) FROM reachable AS r
JOIN pg_class AS c ON c.oid = r.oid AND c.relkind = 'v'
