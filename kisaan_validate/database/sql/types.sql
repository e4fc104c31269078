-- The types of the columns of these relations below their domains, and the types that those are made of.
-- One line a column: relation, column, the type, whether it is an array, its element or subtype, their extensions,
-- and the fields of composite ones.
WITH RECURSIVE below (oid, base) AS (
    SELECT oid, oid FROM pg_type
    UNION ALL
    SELECT b.oid, t.typbasetype FROM below AS b JOIN pg_type AS t ON t.oid = b.base AND t.typtype = 'd'
), base (oid, base) AS (
    SELECT b.oid, b.base FROM below AS b JOIN pg_type AS t ON t.oid = b.base AND t.typtype <> 'd'
)
SELECT a.attrelid::bigint, a.attname::text, t.oid::bigint, t.typname::text, t.typtype::text, n.nspname = 'pg_catalog',
       t.typcategory = 'A' AND t.typelem <> 0 AND t.typname NOT IN ('int2vector', 'oidvector'),
       e.oid::bigint, e.typname::text, e.typtype::text, en.nspname = 'pg_catalog',
       (SELECT x.extname::text FROM pg_depend AS d JOIN pg_extension AS x ON x.oid = d.refobjid
        WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.refclassid = 'pg_extension'::regclass
          AND d.deptype = 'e' LIMIT 1),
       (SELECT x.extname::text FROM pg_depend AS d JOIN pg_extension AS x ON x.oid = d.refobjid
        WHERE d.classid = 'pg_type'::regclass AND d.objid = e.oid AND d.refclassid = 'pg_extension'::regclass
          AND d.deptype = 'e' LIMIT 1),
       (SELECT string_agg(quote_ident(f.attname), ', ' ORDER BY f.attnum) FROM pg_attribute AS f
        WHERE f.attrelid = nullif(t.typrelid, 0) AND f.attnum > 0 AND NOT f.attisdropped),
       (SELECT string_agg(quote_ident(f.attname), ', ' ORDER BY f.attnum) FROM pg_attribute AS f
        WHERE f.attrelid = nullif(e.typrelid, 0) AND f.attnum > 0 AND NOT f.attisdropped)
FROM pg_attribute AS a
JOIN base AS b ON b.oid = a.atttypid
JOIN pg_type AS t ON t.oid = b.base
JOIN pg_namespace AS n ON n.oid = t.typnamespace
LEFT JOIN pg_range AS r ON r.rngtypid = t.oid
LEFT JOIN base AS eb ON eb.oid = coalesce(r.rngsubtype, CASE WHEN t.typcategory = 'A' THEN nullif(t.typelem, 0) END)
LEFT JOIN pg_type AS e ON e.oid = eb.base
LEFT JOIN pg_namespace AS en ON en.oid = e.typnamespace
WHERE a.attrelid = ANY (%(oids)s::oid[]) AND a.attnum > 0 AND NOT a.attisdropped
