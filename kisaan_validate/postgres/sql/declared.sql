-- What is declared of the rows that the named relations are made of: through views, partitions and tables that inherit.
-- indnullsnotdistinct came with 15. A unique index binds the rows of its own table, so one that is read as a child brings none.
WITH RECURSIVE reach (top, oid, child) AS (
    SELECT o, o, false FROM unnest(%(oids)s::oid[]) AS o
    UNION
    SELECT r.top, below.oid, below.child
    FROM reach AS r
    CROSS JOIN LATERAL (
        SELECT d.refobjid AS oid, false AS child
        FROM pg_class AS v
        JOIN pg_rewrite AS w ON w.ev_class = v.oid
        JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid AND d.refclassid = 'pg_class'::regclass
        WHERE v.oid = r.oid AND v.relkind = 'v' AND d.refobjid <> v.oid
        UNION ALL
        SELECT i.inhrelid, true FROM pg_inherits AS i WHERE i.inhparent = r.oid
    ) AS below
)
SELECT r.top::bigint, n.nspname, c.relname, c.relkind,
       (SELECT array_agg(a.attname::text ORDER BY a.attnum) FROM pg_attribute AS a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND a.attnotnull AND NOT a.attisdropped),
       (SELECT jsonb_agg(jsonb_build_object(
            'name', ic.relname,
            'keys', (SELECT jsonb_agg(pg_get_indexdef(x.indexrelid, k, true) ORDER BY k) FROM generate_series(1, x.indnkeyatts) AS k),
            'where', coalesce(pg_get_expr(x.indpred, x.indrelid), ''),
            'nulls', NOT coalesce((to_jsonb(x) ->> 'indnullsnotdistinct')::boolean, false)) ORDER BY ic.relname)
        FROM pg_index AS x JOIN pg_class AS ic ON ic.oid = x.indexrelid
        WHERE x.indrelid = c.oid AND x.indisunique AND x.indisvalid AND x.indimmediate AND bool_or(NOT r.child))
FROM reach AS r
JOIN pg_class AS c ON c.oid = r.oid AND c.relkind IN ('r', 'p', 'm', 'f')
JOIN pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
GROUP BY r.top, c.oid, n.nspname, c.relname, c.relkind
ORDER BY r.top, n.nspname, c.relname
