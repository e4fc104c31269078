-- Which sequences can be asked where they stand: (schema, name, title, ascending, why not).
SELECT n.nspname, c.relname, CASE n.nspname WHEN 'public' THEN '' ELSE n.nspname || '.' END || c.relname,
       s.seqincrement > 0,
       CASE WHEN NOT has_schema_privilege(n.oid, 'USAGE') OR NOT has_sequence_privilege(c.oid, 'SELECT')
                THEN 'this role may not read it'
            WHEN c.relpersistence = 'u' AND pg_is_in_recovery()
                THEN 'an unlogged sequence cannot be read on a standby'
            WHEN c.oid = ANY (ARRAY(
                SELECT l.relation FROM pg_locks AS l
                WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock' AND l.pid <> pg_backend_pid()
                  AND l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())))
                THEN 'another session has locked it exclusively, or is about to' END
FROM pg_sequence AS s
JOIN pg_class AS c ON c.oid = s.seqrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname = ANY (%(schemas)s)
WHERE NOT EXISTS (
    SELECT FROM pg_depend AS d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
)
ORDER BY 3
