-- Over unread_sequences: which sequences can be asked where they stand: (schema, name, title, ascending, why not).
SELECT n.nspname, c.relname, CASE n.nspname WHEN 'public' THEN '' ELSE n.nspname || '.' END || c.relname,
       s.seqincrement > 0,
       u.why
FROM pg_sequence AS s
JOIN pg_class AS c ON c.oid = s.seqrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname = ANY (%(schemas)s)
JOIN unread_sequences AS u ON u.sequence = c.oid
WHERE NOT EXISTS (
    SELECT FROM pg_depend AS d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
)
ORDER BY 3
