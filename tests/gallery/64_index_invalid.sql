-- An index that failed half-way in CREATE INDEX CONCURRENTLY: it is there, and not used.
--
-- [[schema]]
-- kind = "index"
-- table = "mandi_members"
-- name = "mandi_members_code"
-- aspect = "valid"
SET allow_system_table_mods = on;
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'mandi_members_code'::regclass;
