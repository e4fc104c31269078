-- Letters that ASCII lacks became question marks.
--
-- [[rows]]
-- table = "mandi_members"
-- kind = "changed"
-- keys = "SELECT id FROM mandi_members WHERE code < '001000'"
-- columns = ["name"]
-- pattern = "characters lost"
-- facts = { encoding = "ascii", how = "replaced by ?" }
UPDATE mandi_members SET name = regexp_replace(name, '[^ -~]', '?', 'g') WHERE code < '001000';
