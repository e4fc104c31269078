-- A sequence fills a column by owning it (serial, identity), or because its default calls nextval.
SELECT l.table_oid, a.attname, sn.nspname, sc.relname, s.seqincrement > 0
FROM (
    SELECT d.refobjid::bigint AS table_oid, d.refobjsubid AS attnum, d.objid AS sequence_oid, 1 AS preference
    FROM pg_depend AS d
    WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
    UNION
    SELECT ad.adrelid::bigint, ad.adnum, d.refobjid, 0
    FROM pg_attrdef AS ad
    JOIN pg_depend AS d ON d.classid = 'pg_attrdef'::regclass AND d.objid = ad.oid
        AND d.refclassid = 'pg_class'::regclass AND d.deptype = 'n'
) AS l
JOIN pg_sequence AS s ON s.seqrelid = l.sequence_oid
JOIN pg_class AS sc ON sc.oid = s.seqrelid
JOIN pg_namespace AS sn ON sn.oid = sc.relnamespace
JOIN pg_class AS c ON c.oid = l.table_oid
JOIN pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname = ANY (%(schemas)s)
JOIN pg_attribute AS a ON a.attrelid = l.table_oid AND a.attnum = l.attnum
ORDER BY l.preference DESC
