-- Ampersands were escaped for HTML once too often.
--
-- [[rows]]
-- table = "kisaan_shops"
-- kind = "changed"
-- keys = "SELECT id FROM kisaan_shops WHERE name LIKE '%&%'"
-- columns = ["name"]
-- pattern = "escaped"
-- facts = { way = "escaped", language = "HTML" }
UPDATE kisaan_shops SET name = replace(name, '&', '&amp;') WHERE name LIKE '%&%';
