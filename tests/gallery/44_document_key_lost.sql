-- A key of the document is gone.
--
-- [[rows]]
-- table = "mandi_members"
-- kind = "changed"
-- keys = "SELECT id FROM mandi_members WHERE code > '009000'"
-- columns = ["extra"]
-- pattern = "document key"
-- facts = { what = "removed", key = "source" }
UPDATE mandi_members SET extra = extra - 'source' WHERE code > '009000';
