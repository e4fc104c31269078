-- One number deep in a document.
--
-- [[rows]]
-- table = "mandi_members"
-- kind = "changed"
-- keys = "SELECT id FROM mandi_members WHERE code < '000200'"
-- columns = ["extra"]
-- pattern = "document key"
-- facts = { what = "changed", key = "tags" }
UPDATE mandi_members SET extra = jsonb_set(extra, '{tags,1}', '0') WHERE code < '000200';
