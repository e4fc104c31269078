-- Not those by which PostgreSQL enforces constraints. Before 15 the copies that partitions have of their parent's
-- triggers are called internal as well; a constraint trigger's copies cannot be told from the rest there.
SELECT r.title, t.tgname, jsonb_strip_nulls(jsonb_build_object(
    'definition', pg_get_triggerdef(t.oid),
    'enabled', CASE t.tgenabled WHEN 'O' THEN 'origin' WHEN 'A' THEN 'always' WHEN 'R' THEN 'replica'
                                ELSE 'disabled' END,
    'comment', obj_description(t.oid, 'pg_trigger')
))
FROM unnest(%(oids)s::oid[], %(titles)s::text[]) AS r (oid, title)
JOIN pg_trigger AS t ON t.tgrelid = r.oid
    AND (NOT t.tgisinternal OR t.tgparentid <> 0 AND t.tgconstraint = 0)
