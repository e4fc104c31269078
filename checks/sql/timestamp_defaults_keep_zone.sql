-- id: database.timestamps.defaults_keep_zone
-- title: no default strips the zone from a column that has one
-- severity: warning
-- why: After the migration these columns keep the zone, but their default still computes the time without one. Every new
--   row that leaves its time to the database and is written from an Indian session is five and a half hours off.
-- finding: {count} column defaults drop the time zone
-- hint: ALTER TABLE ... ALTER COLUMN ... SET DEFAULT now()
-- owner: platform
-- tags: time, migration
-- key: table_name, column_name
-- shows: column_default
SELECT c.table_name, c.column_name, c.column_default
FROM information_schema.columns AS c
WHERE c.table_schema = 'public'
  AND c.data_type = 'timestamp with time zone'
  AND c.column_default ~* 'at time zone|timezone\(|localtimestamp'
