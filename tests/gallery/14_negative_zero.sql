-- A zero became a negative zero; sums and comparisons do not show it.
--
-- [[rows]]
-- table = "mandi_members"
-- kind = "changed"
-- keys = "SELECT id FROM mandi_members WHERE weight = 0"
-- columns = ["weight"]
-- pattern = "sign flipped"
UPDATE mandi_members SET weight = '-0' WHERE weight = 0;
