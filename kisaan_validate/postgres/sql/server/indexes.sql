-- Indexes that are not used or not kept up: (number of all, name, table, state, whether it is being built).
-- The progress of others' builds shows no index to a role without pg_read_all_stats: then NULL.
WITH building AS (
    SELECT p.index_relid, p.relid FROM pg_stat_progress_create_index AS p WHERE p.datname = current_database()
)
SELECT (SELECT count(*) FROM pg_index), n.nspname || '.' || c.relname, tn.nspname || '.' || t.relname,
       CASE WHEN NOT i.indislive THEN 'it is being dropped'
            WHEN NOT i.indisready THEN 'it is not kept up'
            WHEN c.relkind = 'I' THEN 'partitions lack it'
            ELSE 'it is not used by queries' END,
       CASE WHEN EXISTS (SELECT FROM building AS b WHERE b.index_relid = i.indexrelid) THEN true
            WHEN EXISTS (SELECT FROM building AS b WHERE b.relid IS NULL OR (b.relid = i.indrelid AND coalesce(b.index_relid, 0) = 0))
                THEN NULL
            ELSE false END
FROM pg_index AS i
JOIN pg_class AS c ON c.oid = i.indexrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_class AS t ON t.oid = i.indrelid
JOIN pg_namespace AS tn ON tn.oid = t.relnamespace
WHERE NOT (i.indisvalid AND i.indisready AND i.indislive)
UNION ALL
SELECT (SELECT count(*) FROM pg_index), NULL, NULL, NULL, NULL
ORDER BY 2 NULLS FIRST
