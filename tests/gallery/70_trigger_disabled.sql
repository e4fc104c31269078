-- A trigger was switched off for the load and never on again.
--
-- [[schema]]
-- kind = "trigger"
-- table = "mandi_members"
-- name = "mandi_members_touch"
-- aspect = "enabled"
ALTER TABLE mandi_members DISABLE TRIGGER mandi_members_touch;
