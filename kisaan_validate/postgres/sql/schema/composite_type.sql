-- Only those made by CREATE TYPE: every table has a row type as well.
SELECT '', CASE n.nspname WHEN 'public' THEN '' ELSE n.nspname || '.' END || t.typname,
       jsonb_strip_nulls(jsonb_build_object(
    'attributes', (SELECT string_agg(
                       format('%%I %%s', a.attname, format_type(a.atttypid, a.atttypmod))
                       || CASE WHEN a.attcollation <> at.typcollation
                               THEN ' COLLATE ' || a.attcollation::regcollation::text ELSE '' END,
                       ', ' ORDER BY a.attnum)
                   FROM pg_attribute AS a
                   JOIN pg_type AS at ON at.oid = a.atttypid
                   WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped),
    'owner', pg_get_userbyid(t.typowner),
    'comment', obj_description(t.oid, 'pg_type')
))
FROM pg_type AS t
JOIN pg_namespace AS n ON n.oid = t.typnamespace AND n.nspname = ANY (%(schemas)s)
JOIN pg_class AS c ON c.oid = t.typrelid AND c.relkind = 'c'
WHERE NOT EXISTS (
    SELECT FROM pg_depend AS d WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e'
)
