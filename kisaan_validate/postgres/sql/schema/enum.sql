SELECT '', CASE n.nspname WHEN 'public' THEN '' ELSE n.nspname || '.' END || t.typname,
       jsonb_strip_nulls(jsonb_build_object(
    'labels', (SELECT string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder)
               FROM pg_enum AS e WHERE e.enumtypid = t.oid),
    'owner', pg_get_userbyid(t.typowner),
    'comment', obj_description(t.oid, 'pg_type')
))
FROM pg_type AS t
JOIN pg_namespace AS n ON n.oid = t.typnamespace AND n.nspname = ANY (%(schemas)s)
WHERE t.typtype = 'e'
  AND NOT EXISTS (
    SELECT FROM pg_depend AS d WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e'
  )
