-- Functions and operators in pg_catalog that did not come with PostgreSQL and have a name of its own: their types may fit better.
-- Objects that came with PostgreSQL have oids below 16384 (FirstNormalObjectId).
SELECT 'function', p.oid::regprocedure::text
FROM pg_proc AS p
WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.oid >= 16384
  AND EXISTS (SELECT FROM pg_proc AS own WHERE own.proname = p.proname AND own.pronamespace = p.pronamespace AND own.oid < 16384)
UNION ALL
SELECT 'operator', o.oid::regoperator::text
FROM pg_operator AS o
WHERE o.oprnamespace = 'pg_catalog'::regnamespace AND o.oid >= 16384
  AND EXISTS (SELECT FROM pg_operator AS own WHERE own.oprname = o.oprname AND own.oprnamespace = o.oprnamespace AND own.oid < 16384)
ORDER BY 1, 2
