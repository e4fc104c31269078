-- pg_control_system needs no privilege unless it was revoked; without it a database looks like its copy.
SELECT current_database(), current_user::text, session_user::text,
       current_setting('server_version'), current_setting('server_version_num')::integer,
       pg_is_in_recovery(),
       CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()::text ELSE pg_current_wal_lsn()::text END,
       transaction_timestamp(),
       coalesce(host(inet_server_addr()), ''), coalesce(inet_server_port()::text, current_setting('port')),
       pg_encoding_to_char(d.encoding), d.datcollate, d.oid::bigint,
       (SELECT reset_val FROM pg_settings WHERE name = 'TimeZone'),
       current_setting('is_superuser') = 'on'
FROM pg_database AS d
WHERE d.datname = current_database()
