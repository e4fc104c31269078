-- The migration's own now() was backfilled where nobody had left.
--
-- [[rows]]
-- table = "mandi_members"
-- kind = "changed"
-- keys = "SELECT id FROM mandi_members WHERE left_at IS NULL"
-- columns = ["left_at"]
-- pattern = "constant backfilled"
-- facts = { constant = "2025-10-18 02:00:00.123456+00" }
UPDATE mandi_members SET left_at = timestamptz '2025-10-18 02:00:00.123456+00' WHERE left_at IS NULL;
