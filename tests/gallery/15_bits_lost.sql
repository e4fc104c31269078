-- Only the lower 32 bits are left.
--
-- [[rows]]
-- table = "mandi_members"
-- kind = "changed"
-- keys = "SELECT id FROM mandi_members WHERE code BETWEEN '003000' AND '004000'"
-- columns = ["epoch_ms"]
-- pattern = "bits lost"
-- facts = { bits = "32" }
UPDATE mandi_members SET epoch_ms = (epoch_ms & 4294967295) WHERE code BETWEEN '003000' AND '004000';
