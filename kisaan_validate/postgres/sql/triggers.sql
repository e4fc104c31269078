SELECT t.tgrelid::bigint, t.tgname, t.tgenabled::text
FROM pg_trigger AS t
JOIN pg_class AS c ON c.oid = t.tgrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname = ANY (%(schemas)s)
WHERE NOT t.tgisinternal
ORDER BY t.tgrelid, t.tgname
