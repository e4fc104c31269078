-- What ANALYZE found out about the named columns: distinct values (negative: a share of the rows), bytes of a value, and, of
-- texts and numbers that may be shown, the most common values. Where there is a figure over the children too, it counts.
SELECT DISTINCT ON (w.schema_name, w.table_name, w.column_name)
       w.schema_name, w.table_name, w.column_name, s.n_distinct::float8, s.avg_width,
       CASE WHEN w.shown AND t.typcategory IN ('S', 'N') THEN s.most_common_vals::text::text[] END
FROM unnest(%(schemas)s::text[], %(tables)s::text[], %(columns)s::text[], %(shown)s::boolean[])
    AS w (schema_name, table_name, column_name, shown)
JOIN pg_stats AS s ON s.schemaname = w.schema_name AND s.tablename = w.table_name AND s.attname = w.column_name
JOIN pg_namespace AS n ON n.nspname = w.schema_name
JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = w.table_name
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = w.column_name AND NOT a.attisdropped
JOIN pg_type AS t ON t.oid = a.atttypid
ORDER BY w.schema_name, w.table_name, w.column_name, s.inherited DESC
