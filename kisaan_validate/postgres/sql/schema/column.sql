-- The position counts only columns that are there, storage is said where it is not that of the type: a restored dump says the same.
-- From 18 on NOT NULL is a constraint with a name; here it is a fact of its column, as before 18.
SELECT r.title, a.attname, jsonb_strip_nulls(jsonb_build_object(
    'type', format_type(a.atttypid, a.atttypmod),
    'collation', CASE WHEN a.attcollation <> t.typcollation THEN a.attcollation::regcollation::text END,
    'default', CASE a.attgenerated WHEN '' THEN pg_get_expr(d.adbin, d.adrelid) END,
    'generated', CASE a.attgenerated WHEN 's' THEN pg_get_expr(d.adbin, d.adrelid) || ' stored'
                                     WHEN 'v' THEN pg_get_expr(d.adbin, d.adrelid) || ' virtual' END,
    'identity', CASE a.attidentity WHEN 'a' THEN 'always' WHEN 'd' THEN 'by default' END,
    'not null', CASE WHEN a.attnotnull THEN CASE WHEN n.convalidated IS FALSE THEN 'not validated' ELSE 'yes' END
                                            || CASE WHEN n.connoinherit THEN ', not inherited' ELSE '' END END,
    'options', (SELECT string_agg(o, ', ' ORDER BY o COLLATE "C") FROM unnest(a.attfdwoptions) AS o),
    'storage', CASE WHEN a.attstorage <> t.typstorage
                    THEN CASE a.attstorage WHEN 'p' THEN 'plain' WHEN 'e' THEN 'external' WHEN 'm' THEN 'main' ELSE 'extended' END END,
    'compression', CASE to_jsonb(a) ->> 'attcompression' WHEN 'p' THEN 'pglz' WHEN 'l' THEN 'lz4' END,
    'statistics', nullif(a.attstattarget, -1)::text,
    'planner options', (SELECT string_agg(o, ', ' ORDER BY o COLLATE "C") FROM unnest(a.attoptions) AS o),
    'position', (row_number() OVER (PARTITION BY a.attrelid ORDER BY a.attnum))::text,
    'comment', col_description(a.attrelid, a.attnum)
))
FROM unnest(%(oids)s::oid[], %(titles)s::text[]) AS r (oid, title)
JOIN pg_class AS c ON c.oid = r.oid AND c.relkind <> 'S'
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type AS t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
LEFT JOIN pg_constraint AS n ON n.conrelid = a.attrelid AND n.contype = 'n' AND n.conkey = ARRAY[a.attnum]
