-- Every name was read in the wrong encoding; nobody may see the names.
--
-- personal = ["mandi_people.name"]
-- [[rows]]
-- table = "mandi_people"
-- kind = "changed"
-- keys = "SELECT id FROM mandi_people"
-- columns = ["name"]
-- pattern = "double-encoded UTF-8"
UPDATE mandi_people SET name = convert_from(convert_to(name, 'UTF8'), 'LATIN1');
