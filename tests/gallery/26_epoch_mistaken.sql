-- Seconds since 1970 were read as milliseconds: everything happened in January 1970.
--
-- [[rows]]
-- table = "mandi_members"
-- kind = "changed"
-- keys = "SELECT id FROM mandi_members WHERE code < '003000'"
-- columns = ["visited"]
-- pattern = "epoch"
-- facts = { way = "mistaken", unit = "seconds" }
UPDATE mandi_members SET visited = to_timestamp(extract(epoch FROM visited) / 1000) WHERE code < '003000';
