SELECT '', CASE n.nspname WHEN 'public' THEN '' ELSE n.nspname || '.' END || t.typname,
       jsonb_strip_nulls(jsonb_build_object(
    'subtype', format_type(r.rngsubtype, NULL),
    'operator class', CASE ocn.nspname WHEN 'pg_catalog' THEN '' ELSE ocn.nspname || '.' END || oc.opcname,
    'collation', CASE WHEN r.rngcollation <> b.typcollation THEN r.rngcollation::regcollation::text END,
    'canonical', nullif(r.rngcanonical::oid::regprocedure::text, '-'),
    'difference', nullif(r.rngsubdiff::oid::regprocedure::text, '-'),
    'owner', pg_get_userbyid(t.typowner),
    'comment', obj_description(t.oid, 'pg_type')
))
FROM pg_range AS r
JOIN pg_type AS t ON t.oid = r.rngtypid
JOIN pg_namespace AS n ON n.oid = t.typnamespace AND n.nspname = ANY (%(schemas)s)
JOIN pg_type AS b ON b.oid = r.rngsubtype
JOIN pg_opclass AS oc ON oc.oid = r.rngsubopc
JOIN pg_namespace AS ocn ON ocn.oid = oc.opcnamespace
WHERE NOT EXISTS (
    SELECT FROM pg_depend AS d WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e'
)
