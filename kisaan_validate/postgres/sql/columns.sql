-- A type that has the name of one of PostgreSQL's own is told with its schema, so that it is not taken for that one.
-- Among the outputs: by which operators of its default operator class, btree before hash, a type of another schema is compared.
WITH RECURSIVE base (oid, below, typmod, not_null) AS (
    SELECT t.oid, t.oid, NULL::integer, false FROM pg_type AS t
    UNION ALL
    SELECT b.oid, t.typbasetype, coalesce(b.typmod, nullif(t.typtypmod, -1)), b.not_null OR t.typnotnull
    FROM base AS b JOIN pg_type AS t ON t.oid = b.below AND t.typtype = 'd'
)
SELECT a.attrelid::bigint, a.attname, format_type(a.atttypid, a.atttypmod),
       CASE WHEN bt.typnamespace <> 'pg_catalog'::regnamespace AND EXISTS (
           SELECT FROM pg_type AS own WHERE own.typname = bt.typname AND own.typnamespace = 'pg_catalog'::regnamespace
       ) THEN bt.typnamespace::regnamespace::text || '.' || bt.typname ELSE bt.typname::text END,
       a.attnotnull OR b.not_null, CASE WHEN d.adrelid <> ALL (%(blocked)s::oid[]) THEN pg_get_expr(d.adbin, d.adrelid) END, a.attgenerated::text, a.attidentity::text,
       (SELECT array_agg(e.enumlabel::text ORDER BY e.enumsortorder) FROM pg_enum AS e WHERE e.enumtypid = bt.oid),
       coalesce(b.typmod, a.atttypmod),
       CASE WHEN bt.typtype = 'b' AND bt.typcategory <> 'A' AND bt.typnamespace <> 'pg_catalog'::regnamespace THEN (
           SELECT array_agg(format('%%s OPERATOR(%%I.%%s)', v.symbol, on_.nspname, o.oprname) ORDER BY am.amname)
           FROM pg_opclass AS oc
           JOIN pg_am AS am ON am.oid = oc.opcmethod AND am.amname IN ('btree', 'hash')
           JOIN pg_amop AS ao ON ao.amopfamily = oc.opcfamily AND ao.amoplefttype = bt.oid AND ao.amoprighttype = bt.oid
           JOIN pg_operator AS class ON class.oid = ao.amopopr
           CROSS JOIN LATERAL (VALUES
               ((CASE am.amname WHEN 'btree' THEN ARRAY['<', '<=', '=', '>=', '>'] ELSE ARRAY['='] END)[ao.amopstrategy], class.oid),
               (CASE WHEN ao.amopstrategy = CASE am.amname WHEN 'btree' THEN 3 ELSE 1 END THEN '<>' END, class.oprnegate)
           ) AS v (symbol, oid)
           JOIN pg_operator AS o ON o.oid = v.oid
           JOIN pg_namespace AS on_ ON on_.oid = o.oprnamespace
           WHERE oc.opcintype = bt.oid AND oc.opcdefault AND v.symbol IS NOT NULL
       ) END,
       bt.oid::bigint, bt.typnamespace = 'pg_catalog'::regnamespace AND bt.typtype = 'b' AND bt.typelem = 0
FROM pg_attribute AS a
JOIN pg_class AS c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
JOIN pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname = ANY (%(schemas)s)
JOIN base AS b ON b.oid = a.atttypid
JOIN pg_type AS bt ON bt.oid = b.below AND bt.typtype <> 'd'
LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attrelid, a.attnum
