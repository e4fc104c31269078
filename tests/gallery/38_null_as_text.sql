-- No e-mail became the text 'null'.
--
-- [[rows]]
-- table = "mandi_members"
-- kind = "changed"
-- keys = "SELECT id FROM mandi_members WHERE email IS NULL"
-- columns = ["email"]
-- pattern = "NULL as text"
-- facts = { word = "null" }
UPDATE mandi_members SET email = 'null' WHERE email IS NULL;
