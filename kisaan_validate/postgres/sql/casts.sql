-- Casts by somebody's own function that statements of the engine would use: (from, to, function, relation; NULL for any).
-- Between two of PostgreSQL's own types: to one that the engine writes, or implicit ones, which it need not write.
-- From a user's type: to text, as which every value is shown, or implicit; its columns tell which relations are meant.
-- What an extension says of its own type is meant. A cast WITH INOUT gives what the types' own functions give.
WITH RECURSIVE made AS (
    SELECT c.oid, c.castsource, c.casttarget, c.castfunc, c.castcontext,
           s.typnamespace = 'pg_catalog'::regnamespace AS builtin
    FROM pg_cast AS c
    JOIN pg_type AS s ON s.oid = c.castsource
    JOIN pg_type AS t ON t.oid = c.casttarget AND t.typnamespace = 'pg_catalog'::regnamespace
    WHERE c.oid >= 16384 AND c.castmethod <> 'i'
      AND (c.castcontext = 'i' OR t.oid = ANY (ARRAY[
          'text', 'bool', 'int2', 'int4', 'int8', 'numeric', 'float4', 'float8', 'bit', 'varbit', 'bytea', 'uuid', 'json', 'jsonb',
          'jsonpath', 'date', 'time', 'timetz', 'timestamp', 'timestamptz', 'interval', 'inet', 'money', 'name', 'oid', 'varchar',
          'bpchar', '"char"', 'regclass', 'regtype', 'regnamespace'
      ]::regtype[]::oid[]))
), bearer (cast_oid, type) AS (
    SELECT m.oid, m.castsource FROM made AS m
    WHERE NOT m.builtin AND m.castfunc <> 0 AND (m.castcontext = 'i' OR m.casttarget = 'text'::regtype)
      AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = 'pg_cast'::regclass AND d.objid = m.oid AND d.deptype = 'e')
    UNION
    SELECT b.cast_oid, t.oid
    FROM bearer AS b
    JOIN pg_type AS t ON (t.typtype = 'd' AND t.typbasetype = b.type) OR (t.typcategory = 'A' AND t.typelem = b.type)
)
SELECT format_type(m.castsource, NULL), format_type(m.casttarget, NULL),
       CASE WHEN m.castfunc <> 0 THEN m.castfunc::regprocedure::text END, NULL::bigint
FROM made AS m WHERE m.builtin
UNION ALL
SELECT format_type(m.castsource, NULL), format_type(m.casttarget, NULL), m.castfunc::regprocedure::text, a.attrelid::bigint
FROM made AS m
JOIN bearer AS b ON b.cast_oid = m.oid
JOIN pg_attribute AS a ON a.atttypid = b.type AND a.attnum > 0 AND NOT a.attisdropped
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4
