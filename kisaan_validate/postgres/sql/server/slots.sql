-- Replication slots, and the bytes of WAL from the restart point of each to the newest that is here.
SELECT s.slot_name, s.slot_type, s.active, coalesce(s.wal_status, ''),
       pg_wal_lsn_diff(
           CASE WHEN pg_is_in_recovery() THEN coalesce(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())
                ELSE pg_current_wal_lsn() END, s.restart_lsn)::bigint
FROM pg_replication_slots AS s
ORDER BY s.slot_name
