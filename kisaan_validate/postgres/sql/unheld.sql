-- For tables that nothing holds in place: the physical files of each and of all that it shows (partitions, children, tables of a view),
-- and what these are: name, columns and, of a view, its query. Another table may take its place, or another column a name.
SELECT tree.root::bigint, array_agg(c.relfilenode::bigint ORDER BY c.oid),
       md5(string_agg(concat_ws(' ', c.oid, c.relkind, c.relname, n.nspname, shape.columns, shape.query), '/' ORDER BY c.oid))
FROM tree
JOIN pg_class AS c ON c.oid = tree.oid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (
    SELECT (SELECT string_agg(concat_ws(' ', a.attnum, a.attname, a.atttypid, a.atttypmod, a.attisdropped), ',' ORDER BY a.attnum)
            FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attnum > 0) AS columns,
           (SELECT string_agg(md5(r.ev_action::text), ',' ORDER BY r.oid)
            FROM pg_rewrite AS r WHERE r.ev_class = c.oid AND c.relkind = 'v') AS query
) AS shape
GROUP BY tree.root
