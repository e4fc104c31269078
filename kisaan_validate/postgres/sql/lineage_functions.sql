-- Functions, with those of operators and aggregates, that came neither with PostgreSQL nor with an extension.
SELECT p.oid::bigint, p.proname FROM pg_proc AS p
WHERE p.oid >= 16384 AND NOT EXISTS (SELECT FROM pg_depend AS e WHERE e.classid = 'pg_proc'::regclass AND e.objid = p.oid AND e.deptype = 'e')
