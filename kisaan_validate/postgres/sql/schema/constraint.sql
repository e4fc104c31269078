-- Not those that a foreign key makes for each partition of the table it refers to: they come and go with these.
-- "triggers" is set where a foreign key's own triggers do not fire as they should (DISABLE TRIGGER ALL).
-- conenforced came with 18: to_jsonb reads a column that only newer versions have.
SELECT r.title, con.conname, jsonb_strip_nulls(jsonb_build_object(
    'definition', CASE WHEN con.convalidated THEN pg_get_constraintdef(con.oid)
                       ELSE regexp_replace(pg_get_constraintdef(con.oid), ' NOT (VALID|ENFORCED)$', '') END,
    'validated', CASE WHEN con.convalidated THEN 'yes' END,
    'enforced', CASE WHEN coalesce((to_jsonb(con) ->> 'conenforced')::boolean, true) THEN 'yes' END,
    'triggers', (SELECT string_agg(DISTINCT CASE t.tgenabled WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'replica'
                                                             ELSE 'always' END, ', ')
                 FROM pg_trigger AS t WHERE t.tgconstraint = con.oid AND t.tgisinternal AND t.tgenabled <> 'O'),
    'comment', obj_description(con.oid, 'pg_constraint')
))
FROM unnest(%(oids)s::oid[], %(titles)s::text[]) AS r (oid, title)
JOIN pg_constraint AS con ON con.conrelid = r.oid AND con.contype IN ('p', 'u', 'f', 'c', 'x')
LEFT JOIN pg_constraint AS parent ON parent.oid = con.conparentid
WHERE parent.conrelid IS DISTINCT FROM con.conrelid
