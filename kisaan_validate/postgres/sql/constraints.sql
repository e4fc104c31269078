-- to_jsonb reads a column that only newer versions have: conenforced came with 18.
-- The last output: whether it calls functions or operators that came neither with PostgreSQL nor with an extension.
SELECT con.conrelid::bigint, con.conname, con.contype::text,
       (SELECT array_agg(a.attname::text ORDER BY k.position)
        FROM unnest(con.conkey) WITH ORDINALITY AS k (number, position)
        JOIN pg_attribute AS a ON a.attrelid = con.conrelid AND a.attnum = k.number),
       CASE WHEN con.conrelid <> ALL (%(blocked)s::oid[]) THEN pg_get_constraintdef(con.oid) ELSE '' END, con.convalidated,
       coalesce((to_jsonb(con) ->> 'conenforced')::boolean, true),
       fn.nspname, fc.relname,
       (SELECT array_agg(a.attname::text ORDER BY k.position)
        FROM unnest(con.confkey) WITH ORDINALITY AS k (number, position)
        JOIN pg_attribute AS a ON a.attrelid = con.confrelid AND a.attnum = k.number),
       EXISTS (SELECT FROM pg_depend AS d
               WHERE d.classid = 'pg_constraint'::regclass AND d.objid = con.oid
                 AND d.refclassid IN ('pg_operator'::regclass, 'pg_proc'::regclass)
                 AND NOT EXISTS (SELECT FROM pg_depend AS e
                                 WHERE e.classid = d.refclassid AND e.objid = d.refobjid AND e.deptype = 'e'))
FROM pg_constraint AS con
JOIN pg_class AS c ON c.oid = con.conrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname = ANY (%(schemas)s)
LEFT JOIN pg_class AS fc ON fc.oid = con.confrelid
LEFT JOIN pg_namespace AS fn ON fn.oid = fc.relnamespace
WHERE con.contype IN ('p', 'u', 'f', 'c', 'x', 'n')
ORDER BY con.conrelid, con.conname
