-- The bodies of functions that are trees (BEGIN ATOMIC, RETURN; from 14 on), as they are printed now, for these functions only,
-- and the words that are put in quotes there.
SELECT f.name, substring(pg_get_functiondef(f.oid), E'\n((?:BEGIN ATOMIC\n|RETURN ).*)$'),
       (SELECT array_agg(k.word) FROM pg_get_keywords() AS k WHERE k.catcode <> 'U')
FROM (
    SELECT p.oid, CASE n.nspname WHEN 'public' THEN '' ELSE n.nspname || '.' END || p.proname
                  || '(' || oidvectortypes(p.proargtypes) || ')' AS name
    FROM pg_proc AS p
    JOIN pg_namespace AS n ON n.oid = p.pronamespace AND n.nspname = ANY (%(schemas)s)
    WHERE to_jsonb(p) ->> 'prosqlbody' IS NOT NULL
) AS f
WHERE f.name = ANY (%(names)s)
