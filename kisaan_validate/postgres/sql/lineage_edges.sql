-- What is made of what: (kind, relation, column, of relation, of column). Somebody's own functions and operators are "calls".
WITH own (class, oid) AS (
    SELECT 'pg_proc'::regclass::oid, p.oid FROM pg_proc AS p
    WHERE p.oid >= 16384 AND NOT EXISTS (SELECT FROM pg_depend AS e WHERE e.classid = 'pg_proc'::regclass AND e.objid = p.oid AND e.deptype = 'e')
    UNION ALL
    SELECT 'pg_operator'::regclass::oid, o.oid FROM pg_operator AS o
    WHERE o.oid >= 16384 AND NOT EXISTS (SELECT FROM pg_depend AS e WHERE e.classid = 'pg_operator'::regclass AND e.objid = o.oid AND e.deptype = 'e')
), made (kind, relation, number, class, oid) AS (
    SELECT 'view', w.ev_class, 0, 'pg_rewrite'::regclass::oid, w.oid FROM pg_rewrite AS w WHERE w.ev_type = '1'
    UNION ALL
    SELECT 'policy', p.polrelid, 0, 'pg_policy'::regclass::oid, p.oid FROM pg_policy AS p
    UNION ALL
    SELECT 'generated', d.adrelid, d.adnum::integer, 'pg_attrdef'::regclass::oid, d.oid
    FROM pg_attrdef AS d JOIN pg_attribute AS a ON a.attrelid = d.adrelid AND a.attnum = d.adnum AND a.attgenerated <> ''
), depends AS (
    SELECT m.kind, m.relation, m.number, d.refclassid, d.refobjid, d.refobjsubid
    FROM made AS m JOIN pg_depend AS d ON d.classid = m.class AND d.objid = m.oid
    UNION ALL
    -- Of a generated column the server keeps what its expression reads with the column itself.
    SELECT 'generated', a.attrelid, a.attnum::integer, d.refclassid, d.refobjid, d.refobjsubid
    FROM pg_attribute AS a
    JOIN pg_depend AS d ON d.classid = 'pg_class'::regclass AND d.objid = a.attrelid AND d.objsubid = a.attnum
    WHERE a.attgenerated <> ''
)
SELECT DISTINCT d.kind, d.relation::bigint, d.number, d.refobjid::bigint, d.refobjsubid
FROM depends AS d
WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid >= 16384 AND (d.refobjid, d.refobjsubid) <> (d.relation, d.number)
UNION ALL
SELECT DISTINCT 'calls', d.relation::bigint, d.number, 0::bigint, 0
FROM depends AS d JOIN own AS o ON o.class = d.refclassid AND o.oid = d.refobjid
UNION ALL
-- What the server itself keeps of people's values: statistics, running statements, large objects.
SELECT DISTINCT 'calls', d.relation::bigint, d.number, 0::bigint, 0
FROM depends AS d JOIN pg_class AS c ON c.oid = d.refobjid
WHERE d.refclassid = 'pg_class'::regclass AND c.relnamespace = 'pg_catalog'::regnamespace
  AND c.relname ~ '^pg_(stat|largeobject|prepared|cursors)'
UNION ALL
SELECT 'child', i.inhrelid::bigint, 0, i.inhparent::bigint, 0
FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid AND c.relkind IN ('r', 'p', 'f')
UNION ALL
SELECT 'foreign', c.conrelid::bigint, k.own::integer, c.confrelid::bigint, k.other::integer
FROM pg_constraint AS c CROSS JOIN LATERAL unnest(c.conkey, c.confkey) AS k (own, other)
WHERE c.contype = 'f'
