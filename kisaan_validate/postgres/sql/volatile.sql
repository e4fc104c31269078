-- What a SQL text could call that may change the world. Names are looked up regardless of schema and arguments.
-- A "cast" counts only if its name occurs in the text; "function" was called, or could be without being named.
WITH RECURSIVE named AS MATERIALIZED (
    SELECT p.oid, p.proname, p.provolatile, p.prokind, p.proargdefaults, p.pronargs - p.pronargdefaults AS needed,
           p.prorettype, p.proargtypes::oid[] AS arguments, p.pronamespace = 'pg_catalog'::regnamespace AS builtin
    FROM pg_proc AS p
    WHERE p.proname = ANY (%(called)s::text[] || %(dotted)s::text[])
), risky AS (
    SELECT n.proname, n.needed FROM named AS n WHERE n.provolatile = 'v' AND n.prokind <> 'p'
    UNION
    -- An aggregate is called immutable whatever it is made of.
    SELECT n.proname, n.needed
    FROM named AS n
    JOIN pg_aggregate AS a ON a.aggfnoid = n.oid
    JOIN pg_proc AS part ON part.provolatile = 'v'
        AND part.oid IN (a.aggtransfn, a.aggfinalfn, a.aggcombinefn, a.aggmtransfn, a.aggminvtransfn, a.aggmfinalfn)
    UNION
    -- These read whatever a text that they are given names, and run what it calls.
    SELECT n.proname, n.needed
    FROM named AS n
    WHERE n.proname ~ '^((table|schema|database)_to_xml(_and_xmlschema)?|crosstab.*|connectby|xpath_table)$'
    UNION
    -- A default argument is run where it is left out.
    SELECT n.proname, n.needed
    FROM named AS n
    JOIN pg_proc AS v ON v.provolatile = 'v' AND strpos(pg_get_expr(n.proargdefaults, 0), quote_ident(v.proname) || '(') > 0
    WHERE n.proargdefaults IS NOT NULL
    UNION
    -- An oidvector counts from 0.
    -- These turn a text into a type that is only known while they run: it may be a guarded domain, or hold one.
    SELECT n.proname, n.needed
    FROM named AS n
    WHERE EXISTS (SELECT FROM guarded)
      AND (n.proname ~ '^(pg_input_.*|jsonb?_populate_record(set)?|jsonb?_to_record(set)?|populate_record)$'
           OR (n.builtin AND n.arguments[0:1] = ARRAY['cstring'::regtype, 'oid'::regtype]::oid[]))
    UNION
    -- A domain's CHECK is run where a function takes, gives or keeps values of it.
    SELECT n.proname, n.needed
    FROM named AS n
    LEFT JOIN pg_aggregate AS a ON a.aggfnoid = n.oid
    JOIN guarded AS g ON g.oid = n.prorettype OR g.oid = a.aggtranstype OR g.oid = ANY (n.arguments)
), json_cast AS (
    -- A cast to json is looked up, and its function called, by whatever makes JSON of values of any type.
    SELECT c.oid FROM pg_cast AS c JOIN pg_proc AS p ON p.oid = c.castfunc
    WHERE p.provolatile = 'v' AND c.oid >= 16384 AND c.casttarget IN ('json'::regtype, 'jsonb'::regtype)
), guarded (oid) AS (
    -- Domains whose CHECK calls something volatile, by a name or without one, and the types that contain such a domain.
    SELECT c.contypid
    FROM pg_constraint AS c
    JOIN pg_proc AS v ON v.provolatile = 'v' AND strpos(pg_get_constraintdef(c.oid), quote_ident(v.proname) || '(') > 0
    WHERE c.contypid <> 0 AND c.oid >= 16384
    UNION
    SELECT c.contypid
    FROM pg_constraint AS c
    JOIN pg_depend AS d ON d.classid = 'pg_constraint'::regclass AND d.objid = c.oid
    LEFT JOIN pg_operator AS o ON d.refclassid = 'pg_operator'::regclass AND o.oid = d.refobjid
    JOIN pg_proc AS v ON v.provolatile = 'v'
        AND v.oid = CASE WHEN d.refclassid = 'pg_proc'::regclass THEN d.refobjid ELSE o.oprcode::oid END
    WHERE c.contypid <> 0
    UNION
    SELECT c.contypid
    FROM pg_constraint AS c
    WHERE c.contypid <> 0 AND c.oid >= 16384 AND EXISTS (SELECT FROM json_cast)
      AND pg_get_constraintdef(c.oid) ~* 'json'
    UNION
    SELECT t.oid
    FROM guarded AS g
    JOIN pg_type AS t ON t.typbasetype = g.oid OR t.typelem = g.oid
        OR EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = t.typrelid AND a.atttypid = g.oid)
)
SELECT 'function' AS kind, r.proname::text AS name FROM risky AS r WHERE r.proname = ANY (%(called)s)
UNION
-- value.name calls name(value), if one argument is enough.
SELECT 'function', r.proname::text FROM risky AS r WHERE r.needed <= 1 AND r.proname = ANY (%(dotted)s)
UNION
SELECT 'operator', o.oprname::text
FROM pg_operator AS o JOIN pg_proc AS p ON p.oid = o.oprcode
WHERE o.oid >= 16384 AND (p.provolatile = 'v' OR EXISTS (
    SELECT FROM guarded AS g WHERE g.oid IN (o.oprleft, o.oprright, o.oprresult)
))
UNION
SELECT 'function', 'json'
FROM json_cast
WHERE %(called)s::text[] && ARRAY['json', 'json_array', 'json_arrayagg', 'json_object', 'json_objectagg', 'json_scalar', 'json_serialize']
   OR EXISTS (
    SELECT FROM named AS n
    WHERE n.builtin AND n.prorettype IN ('json'::regtype, 'jsonb'::regtype)
      AND n.arguments && ARRAY['"any"', 'anyelement', 'anyarray', 'anynonarray', 'anycompatible', 'anycompatiblearray', 'record']::regtype[]::oid[]
)
UNION
-- Sorting, grouping and comparing arrays or rows call what an operator class names.
SELECT 'function', oc.opcname::text
FROM pg_opclass AS oc
WHERE oc.oid >= 16384 AND EXISTS (
    SELECT FROM pg_proc AS p
    WHERE p.provolatile = 'v'
      AND (p.oid IN (SELECT a.amproc FROM pg_amproc AS a WHERE a.amprocfamily = oc.opcfamily)
           OR p.oid IN (SELECT o.oprcode FROM pg_amop AS a JOIN pg_operator AS o ON o.oid = a.amopopr WHERE a.amopfamily = oc.opcfamily))
)
UNION
SELECT CASE c.castcontext WHEN 'i' THEN 'function' ELSE 'cast' END, t.typname::text
FROM pg_cast AS c JOIN pg_proc AS p ON p.oid = c.castfunc JOIN pg_type AS t ON t.oid = c.casttarget
WHERE p.provolatile = 'v' AND c.oid >= 16384
UNION
SELECT 'cast', t.typname::text FROM guarded AS g JOIN pg_type AS t ON t.oid = g.oid
