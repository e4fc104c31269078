-- Functions of these names that did not come with PostgreSQL, whether each is declared to give the same answer for
-- ever, and a digest of all that it is.
SELECT p.proname::text, p.provolatile = 'i', md5((to_jsonb(p) - 'proacl')::text)
FROM pg_proc AS p
WHERE p.proname = ANY (%(names)s::text[]) AND p.pronamespace <> 'pg_catalog'::regnamespace
ORDER BY p.proname, p.oid
