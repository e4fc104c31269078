-- Codes were taken for numbers: the zeros in front are gone.
--
-- [[rows]]
-- table = "mandi_members"
-- kind = "changed"
-- keys = "SELECT id FROM mandi_members WHERE code LIKE '0%'"
-- columns = ["code"]
-- pattern = "leading zeros lost"
-- facts = { zeros = "lost" }
UPDATE mandi_members SET code = code::int::text WHERE code LIKE '0%';
