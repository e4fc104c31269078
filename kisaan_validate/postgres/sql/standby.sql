-- How old a standby's rows can be, in seconds. ``behind``: since the last commit that it replayed, which also grows while the
-- primary has nothing to say. ``heard``: since the primary's last message, where all that it then had is replayed (NULL where
-- it is not, where nothing streams, or where the role may not see it: pg_stat_wal_receiver shows details to pg_read_all_stats).
SELECT extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())::float8 AS behind,
       (SELECT extract(epoch FROM clock_timestamp() - r.last_msg_receipt_time)::float8 FROM pg_stat_wal_receiver AS r
        WHERE r.latest_end_lsn <= pg_last_wal_replay_lsn()) AS heard,
       pg_is_wal_replay_paused() AS paused,
       pg_last_xact_replay_timestamp() AS replayed_at
