-- Weights went through a four-byte float.
--
-- [[rows]]
-- table = "mandi_members"
-- kind = "changed"
-- keys = "SELECT id FROM mandi_members WHERE weight <> weight::real::float8"
-- columns = ["weight"]
-- pattern = "binary fraction"
-- facts = { float = "4" }
UPDATE mandi_members SET weight = weight::real WHERE weight <> weight::real::float8;
