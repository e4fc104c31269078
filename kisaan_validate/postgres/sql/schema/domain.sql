-- Checks run in the order of their names; what is not validated ends with NOT VALID. NOT NULL became one of them in 17.
SELECT '', CASE n.nspname WHEN 'public' THEN '' ELSE n.nspname || '.' END || t.typname,
       jsonb_strip_nulls(jsonb_build_object(
    'type', format_type(t.typbasetype, t.typtypmod),
    'collation', CASE WHEN t.typcollation <> b.typcollation THEN t.typcollation::regcollation::text END,
    'default', pg_get_expr(t.typdefaultbin, 0),
    'not null', CASE WHEN t.typnotnull THEN 'yes' END,
    'checks', (SELECT string_agg(format('%%I %%s', con.conname, pg_get_constraintdef(con.oid)), '; '
                                 ORDER BY con.conname)
               FROM pg_constraint AS con WHERE con.contypid = t.oid AND con.contype = 'c'),
    'owner', pg_get_userbyid(t.typowner),
    'comment', obj_description(t.oid, 'pg_type')
))
FROM pg_type AS t
JOIN pg_namespace AS n ON n.oid = t.typnamespace AND n.nspname = ANY (%(schemas)s)
JOIN pg_type AS b ON b.oid = t.typbasetype
WHERE t.typtype = 'd'
  AND NOT EXISTS (
    SELECT FROM pg_depend AS d WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e'
  )
