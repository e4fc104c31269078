SELECT n.nspname::text, count(c.oid)::bigint AS tables
FROM pg_namespace AS n
LEFT JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relkind IN ('r', 'p') AND NOT c.relispartition
GROUP BY n.nspname
ORDER BY n.nspname
