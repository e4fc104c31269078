-- What each table is: its file, and all columns that it has or had. Another file may hold other row versions; a
-- column that was dropped and added again, or that is computed when it is read, may give the same version another value.
SELECT c.oid::bigint, am.amname::text,
       concat_ws(' ', c.oid, c.relfilenode, c.relname, n.nspname, c.relkind, c.relpersistence, c.relam, shape.columns)
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_am AS am ON am.oid = c.relam
CROSS JOIN LATERAL (
    SELECT string_agg(concat_ws(' ', a.attnum, a.attname, a.atttypid, a.atttypmod, a.attcollation, a.attisdropped, a.attgenerated,
                                CASE WHEN a.attgenerated <> '' THEN md5(pg_get_expr(d.adbin, d.adrelid)) END),
                      ',' ORDER BY a.attnum) AS columns
    FROM pg_attribute AS a
    LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attrelid = c.oid AND a.attnum > 0
) AS shape
WHERE c.oid = ANY (%(oids)s::oid[])
