SELECT r.title, ic.relname, jsonb_strip_nulls(jsonb_build_object(
    'definition', pg_get_indexdef(i.indexrelid),
    'valid', CASE WHEN i.indisvalid AND i.indisready AND i.indislive THEN 'yes' END,
    'replica identity', CASE WHEN i.indisreplident THEN 'yes' END,
    'clustered', CASE WHEN i.indisclustered THEN 'yes' END,
    'tablespace', (SELECT sp.spcname FROM pg_tablespace AS sp WHERE sp.oid = ic.reltablespace),
    'statistics', (SELECT string_agg(a.attnum::text || ': ' || a.attstattarget::text, ', ' ORDER BY a.attnum) FROM pg_attribute AS a
                   WHERE a.attrelid = i.indexrelid AND a.attstattarget >= 0),
    'attached to', (SELECT p.relname FROM pg_inherits AS h JOIN pg_class AS p ON p.oid = h.inhparent WHERE h.inhrelid = i.indexrelid),
    'comment', obj_description(i.indexrelid, 'pg_class')
))
FROM unnest(%(oids)s::oid[], %(titles)s::text[]) AS r (oid, title)
JOIN pg_index AS i ON i.indrelid = r.oid
JOIN pg_class AS ic ON ic.oid = i.indexrelid
