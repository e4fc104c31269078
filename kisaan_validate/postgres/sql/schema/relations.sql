-- The relations that are told about: (oid, title, whether it is locked, which locked relation it reads).
-- Printing a query locks what the query reads: a view, rule or policy over a locked relation cannot be printed either.
WITH reader (oid, reads) AS (
    SELECT w.ev_class, d.refobjid
    FROM pg_depend AS d
    JOIN pg_rewrite AS w ON w.oid = d.objid
    WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass
      AND d.refobjid = ANY (%(blocked)s::oid[])
    UNION
    SELECT p.polrelid, d.refobjid
    FROM pg_depend AS d
    JOIN pg_policy AS p ON p.oid = d.objid
    WHERE d.classid = 'pg_policy'::regclass AND d.refclassid = 'pg_class'::regclass
      AND d.refobjid = ANY (%(blocked)s::oid[])
)
SELECT c.oid::bigint,
       CASE n.nspname WHEN 'public' THEN '' ELSE n.nspname || '.' END || c.relname,
       c.oid = ANY (%(blocked)s::oid[]),
       (SELECT min(CASE ln.nspname WHEN 'public' THEN '' ELSE ln.nspname || '.' END || l.relname)
        FROM reader AS r
        JOIN pg_class AS l ON l.oid = r.reads
        JOIN pg_namespace AS ln ON ln.oid = l.relnamespace
        WHERE r.oid = c.oid)
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname = ANY (%(schemas)s)
WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S')
  AND NOT EXISTS (
    SELECT FROM pg_depend AS d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
  )
