-- What must stay as it is between two snapshots, so that the later one sees all that the earlier one saw: this
-- server, running since then without a stop (a stopped one may have been set back to a copy), and this database.
-- And where it stands: what the snapshot sees, and where its log was then.
SELECT pg_current_snapshot()::text,
       to_char(pg_postmaster_start_time() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US'),
       pg_is_in_recovery(),
       d.oid::bigint,
       CASE WHEN pg_is_in_recovery() THEN NULL ELSE pg_current_wal_insert_lsn()::text END
FROM pg_database AS d
WHERE d.datname = current_database()
