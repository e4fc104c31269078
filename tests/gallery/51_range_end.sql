-- A range ends one later.
--
-- [[rows]]
-- table = "mandi_members"
-- kind = "changed"
-- keys = "SELECT id FROM mandi_members WHERE code > '009900'"
-- columns = ["floors"]
-- pattern = "unexplained"
UPDATE mandi_members SET floors = int4range(lower(floors), upper(floors) + 1) WHERE code > '009900';
