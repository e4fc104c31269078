-- Operators and functions of the schemas that would be chosen in place of PostgreSQL's own, because their types fit better.
-- pg_catalog comes first in the search path, but only among candidates whose types fit equally well.
WITH RECURSIVE candidate AS MATERIALIZED (
    SELECT 'operator' AS kind, o.oid, n.nspname, o.oprname AS name, ARRAY[o.oprleft, o.oprright] AS types
    FROM pg_operator AS o JOIN pg_namespace AS n ON n.oid = o.oprnamespace
    WHERE n.nspname = ANY (%(schemas)s) AND o.oprname IN ('=', '<>', '<', '>', '<=', '>=', '~') AND o.oprleft <> 0
      AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = 'pg_operator'::regclass AND d.objid = o.oid AND d.deptype = 'e')
    UNION ALL
    SELECT 'function', p.oid, n.nspname, p.proname, p.proargtypes::oid[]
    FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
    WHERE n.nspname = ANY (%(schemas)s) AND p.pronargs > 0
      AND p.proname IN ('length', 'left', 'right', 'round', 'substr', 'sum', 'max', 'min', 'count', 'sha256', 'encode', 'convert_to')
      AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
), own AS (
    SELECT 'operator' AS kind, o.oprname AS name, ARRAY[o.oprleft, o.oprright] AS types
    FROM pg_operator AS o
    WHERE o.oprnamespace = 'pg_catalog'::regnamespace AND o.oprname IN (SELECT name FROM candidate)
    UNION ALL
    SELECT 'function', p.proname, p.proargtypes::oid[]
    FROM pg_proc AS p
    WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.proname IN (SELECT name FROM candidate)
), below (type, base) AS (
    -- A domain is taken for the type below it.
    SELECT DISTINCT u.type, u.type FROM candidate AS c, unnest(c.types) AS u (type)
    UNION
    SELECT b.type, t.typbasetype FROM below AS b JOIN pg_type AS t ON t.oid = b.base AND t.typtype = 'd'
), fits (given, wanted) AS (
    SELECT type, base FROM below
    UNION
    SELECT b.type, k.casttarget FROM below AS b JOIN pg_cast AS k ON k.castsource = b.base AND k.castcontext = 'i'
    UNION
    SELECT b.type, p.oid
    FROM below AS b
    JOIN pg_type AS t ON t.oid = b.base
    JOIN (VALUES ('A', 'anyarray'), ('E', 'anyenum'), ('R', 'anyrange'), ('R', 'anymultirange')) AS any_of (category, name)
        ON any_of.category = t.typcategory::text
    JOIN pg_type AS p ON p.typname = any_of.name
    UNION
    SELECT b.type, o.oid FROM below AS b JOIN pg_type AS t ON t.oid = b.base AND t.typtype = 'p', pg_type AS o
    WHERE o.typtype = 'b'
)
SELECT c.kind, c.name, format('%%I.%%s(%%s)', c.nspname, c.name, array_to_string(c.types::regtype[], ', ')) AS title
FROM candidate AS c
WHERE NOT EXISTS (SELECT FROM own AS o WHERE o.kind = c.kind AND o.name = c.name AND o.types = c.types)
  AND EXISTS (
    SELECT FROM own AS o
    WHERE o.kind = c.kind AND o.name = c.name AND cardinality(o.types) = cardinality(c.types)
      AND NOT EXISTS (
        SELECT FROM unnest(c.types, o.types) AS pair (given, wanted)
        WHERE NOT EXISTS (SELECT FROM fits AS f WHERE f.given = pair.given AND f.wanted = pair.wanted)
      )
  )
ORDER BY 1, 3
