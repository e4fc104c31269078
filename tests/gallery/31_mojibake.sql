-- UTF-8 read as latin-1 and encoded again.
--
-- [[rows]]
-- table = "mandi_members"
-- kind = "changed"
-- keys = "SELECT id FROM mandi_members WHERE code > '005000'"
-- columns = ["name"]
-- pattern = "double-encoded UTF-8"
UPDATE mandi_members SET name = convert_from(convert_to(name, 'UTF8'), 'LATIN1') WHERE code > '005000';
