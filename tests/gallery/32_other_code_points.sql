-- The same names to the eye, in decomposed form.
--
-- [[rows]]
-- table = "mandi_members"
-- kind = "changed"
-- keys = "SELECT id FROM mandi_members WHERE code > '007000'"
-- columns = ["name"]
-- pattern = "Unicode normalisation"
-- facts = { form = "NFD" }
UPDATE mandi_members SET name = normalize(name, NFD) WHERE code > '007000';
