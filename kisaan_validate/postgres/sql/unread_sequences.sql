-- Why a sequence cannot be asked where it stands; NULL where it can.
WITH unread_sequences AS (
    SELECT s.seqrelid AS sequence,
           CASE WHEN NOT has_schema_privilege(n.oid, 'USAGE')
                    THEN 'this role may not use schema ' || n.nspname
                WHEN NOT has_sequence_privilege(c.oid, 'SELECT')
                    THEN 'this role may not read it'
                WHEN c.relpersistence = 'u' AND pg_is_in_recovery()
                    THEN 'an unlogged sequence cannot be read on a standby'
                WHEN c.oid = ANY (ARRAY(
                    SELECT l.relation FROM pg_locks AS l
                    WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock' AND l.pid <> pg_backend_pid()
                      AND l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())))
                    THEN 'another session has locked it exclusively, or is about to' END AS why
    FROM pg_sequence AS s
    JOIN pg_class AS c ON c.oid = s.seqrelid
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
)
