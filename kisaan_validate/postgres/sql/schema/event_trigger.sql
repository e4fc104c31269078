-- They belong to the database, to no schema.
SELECT '', e.evtname, jsonb_strip_nulls(jsonb_build_object(
    'event', e.evtevent,
    'tags', (SELECT string_agg(tag, ', ' ORDER BY tag COLLATE "C") FROM unnest(e.evttags) AS tag),
    'function', e.evtfoid::regprocedure::text,
    'enabled', CASE e.evtenabled WHEN 'O' THEN 'origin' WHEN 'A' THEN 'always' WHEN 'R' THEN 'replica'
                                 ELSE 'disabled' END,
    'owner', pg_get_userbyid(e.evtowner),
    'comment', obj_description(e.oid, 'pg_event_trigger')
))
FROM pg_event_trigger AS e
WHERE NOT EXISTS (
    SELECT FROM pg_depend AS d WHERE d.classid = 'pg_event_trigger'::regclass AND d.objid = e.oid AND d.deptype = 'e'
)
