-- All of them, whatever their schema. What they brought along is theirs: their version stands for it.
SELECT '', e.extname, jsonb_strip_nulls(jsonb_build_object(
    'version', e.extversion,
    'schema', n.nspname,
    'owner', pg_get_userbyid(e.extowner),
    'comment', obj_description(e.oid, 'pg_extension')
))
FROM pg_extension AS e
JOIN pg_namespace AS n ON n.oid = e.extnamespace
