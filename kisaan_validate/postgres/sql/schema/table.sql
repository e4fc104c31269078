-- Partitions and children name their parents, wherever those live. inhdetachpending came with 14.
SELECT r.title, r.title, jsonb_strip_nulls(jsonb_build_object(
    'kind', CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table' WHEN 'f' THEN 'foreign table' END,
    'persistence', CASE c.relpersistence WHEN 'p' THEN 'permanent' WHEN 'u' THEN 'unlogged' ELSE 'temporary' END,
    'owner', pg_get_userbyid(c.relowner),
    'access method', (SELECT am.amname FROM pg_am AS am WHERE am.oid = c.relam AND am.amname <> 'heap'),
    'tablespace', (SELECT sp.spcname FROM pg_tablespace AS sp WHERE sp.oid = c.reltablespace),
    'toast options', (SELECT string_agg(o, ', ' ORDER BY o COLLATE "C")
                      FROM pg_class AS toast, unnest(toast.reloptions) AS o WHERE toast.oid = c.reltoastrelid),
    'row security', CASE WHEN c.relrowsecurity THEN 'yes' END,
    'row security forced', CASE WHEN c.relforcerowsecurity THEN 'yes' END,
    'replica identity', CASE c.relreplident WHEN 'f' THEN 'full' WHEN 'n' THEN 'nothing' WHEN 'i' THEN 'index' END,
    'of type', CASE WHEN c.reloftype <> 0 THEN format_type(c.reloftype, NULL) END,
    'inherits', CASE WHEN NOT c.relispartition THEN parent.titles END,
    'partition of', CASE WHEN c.relispartition THEN parent.titles END,
    'bound', pg_get_expr(c.relpartbound, c.oid),
    'detach pending', CASE WHEN parent.detaching THEN 'yes' END,
    'partition key', pg_get_partkeydef(c.oid),
    'server', s.srvname,
    'options', (SELECT string_agg(o, ', ' ORDER BY o COLLATE "C") FROM unnest(c.reloptions || ft.ftoptions) AS o),
    'comment', obj_description(c.oid, 'pg_class')
))
FROM unnest(%(oids)s::oid[], %(titles)s::text[]) AS r (oid, title)
JOIN pg_class AS c ON c.oid = r.oid AND c.relkind IN ('r', 'p', 'f')
LEFT JOIN pg_foreign_table AS ft ON ft.ftrelid = c.oid
LEFT JOIN pg_foreign_server AS s ON s.oid = ft.ftserver
LEFT JOIN (
    SELECT i.inhrelid,
           string_agg(CASE WHEN strpos(t.title, ', ') > 0 OR strpos(t.title, '"') = 1
                           THEN '"' || replace(t.title, '"', '""') || '"' ELSE t.title END, ', ' ORDER BY i.inhseqno) AS titles,
           bool_or((to_jsonb(i) ->> 'inhdetachpending')::boolean) AS detaching
    FROM pg_inherits AS i
    JOIN pg_class AS p ON p.oid = i.inhparent
    JOIN pg_namespace AS n ON n.oid = p.relnamespace
    CROSS JOIN LATERAL (SELECT CASE n.nspname WHEN 'public' THEN '' ELSE n.nspname || '.' END || p.relname) AS t (title)
    GROUP BY i.inhrelid
) AS parent ON parent.inhrelid = c.oid
