-- Row-level security was switched off.
--
-- [[schema]]
-- kind = "table"
-- table = "mandi_members"
-- name = "mandi_members"
-- aspect = "row security"
ALTER TABLE mandi_members DISABLE ROW LEVEL SECURITY;
