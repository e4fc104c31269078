-- Functions, procedures and aggregates share one space of names: what tells two apart is the types of their arguments.
-- A body may hold a secret and is long: its digest is kept. The body of BEGIN ATOMIC or RETURN (from 14 on) is not text
-- but a tree, printed by pg_get_functiondef after all that is asked for elsewhere (of which the reader
-- keeps a digest as well); printing it locks what it reads, so where that is locked by others there are no facts.
-- Deptype 'i' is what a range type makes for itself.
SELECT '', CASE n.nspname WHEN 'public' THEN '' ELSE n.nspname || '.' END || p.proname
           || '(' || oidvectortypes(p.proargtypes) || ')',
       CASE WHEN EXISTS (
           SELECT FROM pg_depend AS d
           WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid
             AND d.refclassid = 'pg_class'::regclass AND d.refobjid = ANY (%(blocked)s::oid[])
       ) THEN NULL ELSE jsonb_strip_nulls(jsonb_build_object(
    'kind', CASE p.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' WHEN 'w' THEN 'window function'
                           ELSE 'function' END,
    'arguments', nullif(pg_get_function_arguments(p.oid), ''),
    'result', pg_get_function_result(p.oid),
    'language', l.lanname,
    'volatility', CASE p.provolatile WHEN 'i' THEN 'immutable' WHEN 's' THEN 'stable' ELSE 'volatile' END,
    'security definer', CASE WHEN p.prosecdef THEN 'yes' END,
    'support', nullif(p.prosupport::oid::regprocedure::text, '-'),
    'transforms', (SELECT string_agg(format_type(o, NULL), ', ' ORDER BY format_type(o, NULL)) FROM unnest(p.protrftypes) AS o),
    'strict', CASE WHEN p.proisstrict THEN 'yes' END,
    'leakproof', CASE WHEN p.proleakproof THEN 'yes' END,
    'parallel', CASE p.proparallel WHEN 's' THEN 'safe' WHEN 'r' THEN 'restricted' END,
    'cost', nullif(p.procost, CASE WHEN l.lanname IN ('c', 'internal') THEN 1 ELSE 100 END)::text,
    'rows', CASE WHEN p.proretset AND p.prorows <> 1000 THEN p.prorows::text END,
    'config', (SELECT string_agg(o, ', ' ORDER BY o COLLATE "C") FROM unnest(p.proconfig) AS o),
    'body', CASE WHEN a.aggfnoid IS NOT NULL THEN NULL
                 WHEN to_jsonb(p) ->> 'prosqlbody' IS NULL
                 THEN 'sha256 ' || encode(sha256(convert_to(concat_ws(E'\n', p.probin, p.prosrc), 'UTF8')), 'hex')
                 ELSE 'printed ' || substring(pg_get_functiondef(p.oid), E'\n((?:BEGIN ATOMIC\n|RETURN ).*)$') END,
    'state function', nullif(a.aggtransfn::oid::regprocedure::text, '-'),
    'state type', CASE WHEN a.aggtranstype <> 0 THEN format_type(a.aggtranstype, NULL) END,
    'final function', nullif(a.aggfinalfn::oid::regprocedure::text, '-'),
    'combine function', nullif(a.aggcombinefn::oid::regprocedure::text, '-'),
    'moving state function', nullif(a.aggmtransfn::oid::regprocedure::text, '-'),
    'inverse function', nullif(a.aggminvtransfn::oid::regprocedure::text, '-'),
    'moving final function', nullif(a.aggmfinalfn::oid::regprocedure::text, '-'),
    'serial function', nullif(a.aggserialfn::oid::regprocedure::text, '-'),
    'deserial function', nullif(a.aggdeserialfn::oid::regprocedure::text, '-'),
    'moving state type', CASE WHEN a.aggmtranstype <> 0 THEN format_type(a.aggmtranstype, NULL) END,
    'moving initial value', a.aggminitval,
    'aggregate options', nullif(concat_ws(', ', CASE a.aggkind WHEN 'o' THEN 'ordered set' WHEN 'h' THEN 'hypothetical set' END,
        CASE WHEN a.aggfinalextra THEN 'final extra' END, CASE WHEN a.aggmfinalextra THEN 'moving final extra' END,
        CASE WHEN a.aggfinalmodify <> CASE a.aggkind WHEN 'n' THEN 'r' ELSE 'w' END THEN 'final modify ' || a.aggfinalmodify::text END,
        CASE WHEN a.aggmfinalmodify <> CASE a.aggkind WHEN 'n' THEN 'r' ELSE 'w' END
             THEN 'moving final modify ' || a.aggmfinalmodify::text END,
        'state space ' || nullif(a.aggtransspace, 0)::text, 'moving state space ' || nullif(a.aggmtransspace, 0)::text), ''),
    'sort operator', CASE WHEN a.aggsortop <> 0 THEN a.aggsortop::regoperator::text END,
    'initial value', a.agginitval,
    'owner', pg_get_userbyid(p.proowner),
    'comment', obj_description(p.oid, 'pg_proc')
)) END
FROM pg_proc AS p
JOIN pg_namespace AS n ON n.oid = p.pronamespace AND n.nspname = ANY (%(schemas)s)
JOIN pg_language AS l ON l.oid = p.prolang
LEFT JOIN pg_aggregate AS a ON a.aggfnoid = p.oid
WHERE NOT EXISTS (
    SELECT FROM pg_depend AS d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype IN ('e', 'i')
)
