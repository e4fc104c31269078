SELECT r.title, r.title, jsonb_strip_nulls(jsonb_build_object(
    'definition', btrim(pg_get_viewdef(c.oid), E' \n;'),
    'populated', CASE WHEN c.relispopulated THEN 'yes' END,
    'options', (SELECT string_agg(o, ', ' ORDER BY o COLLATE "C") FROM unnest(c.reloptions) AS o),
    'owner', pg_get_userbyid(c.relowner),
    'access method', (SELECT am.amname FROM pg_am AS am WHERE am.oid = c.relam AND am.amname <> 'heap'),
    'tablespace', (SELECT sp.spcname FROM pg_tablespace AS sp WHERE sp.oid = c.reltablespace),
    'toast options', (SELECT string_agg(o, ', ' ORDER BY o COLLATE "C")
                      FROM pg_class AS toast, unnest(toast.reloptions) AS o WHERE toast.oid = c.reltoastrelid),
    'comment', obj_description(c.oid, 'pg_class')
))
FROM unnest(%(oids)s::oid[], %(titles)s::text[]) AS r (oid, title)
JOIN pg_class AS c ON c.oid = r.oid AND c.relkind = 'm'
