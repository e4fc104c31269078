-- One letter in one document that is personal as a whole.
--
-- personal = ["mandi_people.papers"]
-- [[rows]]
-- table = "mandi_people"
-- kind = "changed"
-- keys = "SELECT id FROM mandi_people WHERE id = 42"
-- columns = ["papers"]
-- pattern = "document key"
UPDATE mandi_people SET papers = jsonb_set(papers, '{pan}', '"ABCDE0042G"') WHERE id = 42;
