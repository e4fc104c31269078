-- These types and all that they are made of: below domains, elements of arrays, subtypes of ranges, ranges of
-- multiranges, fields of composites. One line a type: oid, name, kind, whether it is built in, its base (domains only), whether
-- it is an array, its element, its extension, and the names and types of its fields.
WITH RECURSIVE reached (oid) AS (
    SELECT unnest(%(oids)s::oid[])
    UNION
    SELECT part.oid
    FROM reached AS r
    JOIN pg_type AS t ON t.oid = r.oid
    CROSS JOIN LATERAL (
        SELECT t.typbasetype WHERE t.typtype = 'd'
        UNION ALL
        SELECT e.oid FROM pg_type AS e WHERE e.oid = t.typelem AND e.typarray = t.oid
        UNION ALL
        SELECT g.rngsubtype FROM pg_range AS g WHERE g.rngtypid = t.oid
        UNION ALL
        SELECT g.rngtypid FROM pg_range AS g WHERE g.rngmultitypid = t.oid
        UNION ALL
        SELECT f.atttypid FROM pg_attribute AS f
        WHERE t.typtype = 'c' AND f.attrelid = t.typrelid AND f.attnum > 0 AND NOT f.attisdropped
    ) AS part (oid)
)
SELECT t.oid::bigint, t.typname::text, t.typtype::text, n.nspname = 'pg_catalog', nullif(t.typbasetype, 0)::bigint,
       e.oid IS NOT NULL, coalesce(e.oid, g.rngsubtype, m.rngtypid)::bigint,
       (SELECT x.extname::text FROM pg_depend AS d JOIN pg_extension AS x ON x.oid = d.refobjid
        WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.refclassid = 'pg_extension'::regclass
          AND d.deptype = 'e' LIMIT 1),
       f.names, f.types
FROM reached AS r
JOIN pg_type AS t ON t.oid = r.oid
JOIN pg_namespace AS n ON n.oid = t.typnamespace
LEFT JOIN pg_type AS e ON e.oid = t.typelem AND e.typarray = t.oid
LEFT JOIN pg_range AS g ON g.rngtypid = t.oid
LEFT JOIN pg_range AS m ON m.rngmultitypid = t.oid
CROSS JOIN LATERAL (
    SELECT array_agg(f.attname::text ORDER BY f.attnum), array_agg(f.atttypid::bigint ORDER BY f.attnum)
    FROM pg_attribute AS f
    WHERE t.typtype = 'c' AND f.attrelid = t.typrelid AND f.attnum > 0 AND NOT f.attisdropped
) AS f (names, types)
