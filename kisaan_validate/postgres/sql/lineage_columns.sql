-- Every column of what people made, with the relation, or composite type, whose rows it holds, however deep inside.
WITH RECURSIVE inside (below, above) AS (
    SELECT t.typbasetype, t.oid FROM pg_type AS t WHERE t.typtype = 'd'
    UNION ALL
    SELECT t.typelem, t.oid FROM pg_type AS t WHERE t.typelem <> 0
), rows_of (oid, relation) AS (
    SELECT t.oid, t.typrelid FROM pg_type AS t WHERE t.typtype = 'c'
    UNION
    SELECT i.above, r.relation FROM rows_of AS r JOIN inside AS i ON i.below = r.oid
), numbers (oid) AS (
    SELECT t.oid FROM pg_type AS t
    WHERE t.typname IN ('int2', 'int4', 'int8', 'uuid') AND t.typnamespace = 'pg_catalog'::regnamespace
    UNION
    SELECT t.oid FROM numbers AS n JOIN pg_type AS t ON t.typbasetype = n.oid AND t.typtype = 'd'
), keys (relation, number) AS (
    SELECT c.conrelid, k.number FROM pg_constraint AS c CROSS JOIN LATERAL unnest(c.conkey) AS k (number) WHERE c.contype IN ('p', 'f')
)
SELECT c.oid::bigint, n.nspname, c.relname, c.relkind::text, a.attnum, a.attname, w.oid IS NOT NULL,
       w.oid IS NOT NULL AND (c.oid, a.attnum) IN (SELECT k.relation, k.number FROM keys AS k),
       coalesce(r.relation::bigint, 0)
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN numbers AS w ON w.oid = a.atttypid
LEFT JOIN rows_of AS r ON r.oid = a.atttypid
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c')
