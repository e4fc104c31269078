-- A table was not copied at all.
--
-- [[rows]]
-- table = "kisaan_settlements"
-- kind = "removed"
-- keys = "SELECT id FROM kisaan_settlements WHERE true"
TRUNCATE kisaan_settlements;
