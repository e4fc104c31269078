SELECT '', n.nspname, jsonb_strip_nulls(jsonb_build_object(
    'owner', pg_get_userbyid(n.nspowner),
    'comment', obj_description(n.oid, 'pg_namespace')
))
FROM pg_namespace AS n
WHERE n.nspname = ANY (%(schemas)s)
  AND NOT EXISTS (
    SELECT FROM pg_depend AS d WHERE d.classid = 'pg_namespace'::regclass AND d.objid = n.oid AND d.deptype = 'e'
  )
