-- An empty note became no note.
--
-- [[rows]]
-- table = "mandi_members"
-- kind = "changed"
-- keys = "SELECT id FROM mandi_members WHERE note = ''"
-- columns = ["note"]
-- pattern = "NULL and empty"
-- facts = { became = "NULL" }
UPDATE mandi_members SET note = NULL WHERE note = '';
