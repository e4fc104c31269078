-- Milliseconds since 1970 were multiplied once more.
--
-- [[rows]]
-- table = "mandi_members"
-- kind = "changed"
-- keys = "SELECT id FROM mandi_members WHERE code < '002000'"
-- columns = ["epoch_ms"]
-- pattern = "power of ten"
-- facts = { factor = "1000" }
UPDATE mandi_members SET epoch_ms = epoch_ms * 1000 WHERE code < '002000';
