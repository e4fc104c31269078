-- The same without a catalogue, for a role that may read none: neither collation nor time zone are known then.
SELECT current_database(), current_user::text, session_user::text,
       current_setting('server_version'), current_setting('server_version_num')::integer,
       pg_is_in_recovery(),
       CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()::text ELSE pg_current_wal_lsn()::text END,
       transaction_timestamp(),
       coalesce(host(inet_server_addr()), ''), coalesce(inet_server_port()::text, current_setting('port')),
       current_setting('server_encoding'), '', 0::bigint, '', current_setting('is_superuser') = 'on'
