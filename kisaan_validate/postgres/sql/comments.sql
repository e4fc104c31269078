-- What COMMENT ON says of relations, columns (name of the column) and constraints (name of the constraint).
SELECT n.nspname, c.relname, coalesce(a.attname, '') AS attname, '' AS conname, d.description
FROM pg_description AS d
JOIN pg_class AS c ON d.classoid = 'pg_class'::regclass AND c.oid = d.objoid AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
JOIN pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname = ANY (%(schemas)s)
LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = d.objsubid AND d.objsubid > 0
UNION ALL
SELECT n.nspname, c.relname, '', con.conname, d.description
FROM pg_description AS d
JOIN pg_constraint AS con ON d.classoid = 'pg_constraint'::regclass AND con.oid = d.objoid
JOIN pg_class AS c ON c.oid = con.conrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname = ANY (%(schemas)s)
