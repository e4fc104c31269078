-- One flag.
--
-- [[rows]]
-- table = "mandi_members"
-- kind = "changed"
-- keys = "SELECT id FROM mandi_members WHERE code < '000300'"
-- columns = ["flags"]
-- pattern = "unexplained"
UPDATE mandi_members SET flags = flags # B'00000001' WHERE code < '000300';
