-- What a SQL text could call that may change the world. Names are looked up regardless of schema and arguments.
SELECT 'function' AS kind, p.proname::text AS name
FROM pg_proc AS p
WHERE p.provolatile = 'v' AND p.prokind <> 'p' AND p.proname = ANY (%(called)s)
UNION
SELECT 'function', p.proname::text
FROM pg_proc AS p
WHERE p.provolatile = 'v' AND p.pronargs = 1 AND p.proname = ANY (%(dotted)s)
  AND EXISTS (SELECT FROM pg_type AS t WHERE t.oid = p.proargtypes[0] AND (t.typtype = 'c' OR t.typname IN ('record', 'anyelement')))
UNION
SELECT 'operator', o.oprname::text
FROM pg_operator AS o JOIN pg_proc AS p ON p.oid = o.oprcode
WHERE p.provolatile = 'v' AND o.oid >= 16384
UNION
SELECT 'cast', t.typname::text
FROM pg_cast AS c JOIN pg_proc AS p ON p.oid = c.castfunc JOIN pg_type AS t ON t.oid = c.casttarget
WHERE p.provolatile = 'v' AND c.oid >= 16384
