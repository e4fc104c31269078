-- Not those by which PostgreSQL enforces constraints, nor (before 15) the copies that a partition has of its parent's.
SELECT r.title, t.tgname, jsonb_strip_nulls(jsonb_build_object(
    'definition', pg_get_triggerdef(t.oid),
    'enabled', CASE t.tgenabled WHEN 'O' THEN 'origin' WHEN 'A' THEN 'always' WHEN 'R' THEN 'replica'
                                ELSE 'disabled' END,
    'comment', obj_description(t.oid, 'pg_trigger')
))
FROM unnest(%(oids)s::oid[], %(titles)s::text[]) AS r (oid, title)
JOIN pg_trigger AS t ON t.tgrelid = r.oid AND NOT t.tgisinternal
