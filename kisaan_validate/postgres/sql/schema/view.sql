SELECT r.title, r.title, jsonb_strip_nulls(jsonb_build_object(
    'definition', btrim(pg_get_viewdef(c.oid), E' \n;'),
    'options', (SELECT string_agg(o, ', ' ORDER BY o COLLATE "C") FROM unnest(c.reloptions) AS o),
    'owner', pg_get_userbyid(c.relowner),
    'comment', obj_description(c.oid, 'pg_class')
))
FROM unnest(%(oids)s::oid[], %(titles)s::text[]) AS r (oid, title)
JOIN pg_class AS c ON c.oid = r.oid AND c.relkind = 'v'
