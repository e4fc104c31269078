SELECT r.title, ic.relname, jsonb_strip_nulls(jsonb_build_object(
    'definition', pg_get_indexdef(i.indexrelid),
    'valid', CASE WHEN i.indisvalid AND i.indisready AND i.indislive THEN 'yes' END,
    'replica identity', CASE WHEN i.indisreplident THEN 'yes' END,
    'clustered', CASE WHEN i.indisclustered THEN 'yes' END,
    'comment', obj_description(i.indexrelid, 'pg_class')
))
FROM unnest(%(oids)s::oid[], %(titles)s::text[]) AS r (oid, title)
JOIN pg_index AS i ON i.indrelid = r.oid
JOIN pg_class AS ic ON ic.oid = i.indexrelid
