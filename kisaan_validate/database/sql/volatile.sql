-- What a SQL text could call that may change the world. Names are looked up regardless of schema and arguments.
-- A "cast" counts only if its name occurs in the text; "function" was called, or could be without being named.
WITH RECURSIVE named AS MATERIALIZED (
    SELECT p.oid, p.proname, p.provolatile, p.prokind, p.proargdefaults, p.pronargs - p.pronargdefaults AS needed
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
), guarded (oid) AS (
    -- Domains whose CHECK calls something volatile, and the types that contain such a domain.
    SELECT c.contypid
    FROM pg_constraint AS c
    JOIN pg_proc AS v ON v.provolatile = 'v' AND strpos(pg_get_constraintdef(c.oid), quote_ident(v.proname) || '(') > 0
    WHERE c.contypid <> 0 AND c.oid >= 16384
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
WHERE p.provolatile = 'v' AND o.oid >= 16384
UNION
SELECT CASE c.castcontext WHEN 'i' THEN 'function' ELSE 'cast' END, t.typname::text
FROM pg_cast AS c JOIN pg_proc AS p ON p.oid = c.castfunc JOIN pg_type AS t ON t.oid = c.casttarget
WHERE p.provolatile = 'v' AND c.oid >= 16384
UNION
SELECT 'cast', t.typname::text FROM guarded AS g JOIN pg_type AS t ON t.oid = g.oid
