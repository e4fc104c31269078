-- How a sequence counts, not where it stands. Deptype 'a' is OWNED BY, 'i' an identity column.
SELECT r.title, r.title, jsonb_strip_nulls(jsonb_build_object(
    'type', format_type(s.seqtypid, NULL),
    'start', s.seqstart::text,
    'increment', s.seqincrement::text,
    'min', s.seqmin::text,
    'max', s.seqmax::text,
    'cache', s.seqcache::text,
    'cycle', CASE WHEN s.seqcycle THEN 'yes' END,
    'owned by', (SELECT CASE n.nspname WHEN 'public' THEN '' ELSE n.nspname || '.' END || t.relname || '.'
                        || CASE WHEN strpos(a.attname, '.') > 0 OR strpos(a.attname, '"') = 1
                                THEN '"' || replace(a.attname, '"', '""') || '"' ELSE a.attname END
                 FROM pg_depend AS d
                 JOIN pg_class AS t ON t.oid = d.refobjid
                 JOIN pg_namespace AS n ON n.oid = t.relnamespace
                 JOIN pg_attribute AS a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
                 WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.objsubid = 0
                   AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')),
    'persistence', CASE c.relpersistence WHEN 'p' THEN 'permanent' WHEN 'u' THEN 'unlogged' ELSE 'temporary' END,
    'owner', pg_get_userbyid(c.relowner),
    'comment', obj_description(c.oid, 'pg_class')
))
FROM unnest(%(oids)s::oid[], %(titles)s::text[]) AS r (oid, title)
JOIN pg_class AS c ON c.oid = r.oid
JOIN pg_sequence AS s ON s.seqrelid = c.oid
