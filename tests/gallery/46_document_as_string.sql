-- Documents became strings that hold documents.
--
-- [[rows]]
-- table = "kisaan_transactions"
-- kind = "changed"
-- keys = "SELECT id FROM kisaan_transactions WHERE metadata IS NOT NULL"
-- columns = ["metadata"]
-- pattern = "document as string"
-- facts = { way = "encoded" }
UPDATE kisaan_transactions SET metadata = to_jsonb(metadata::text) WHERE metadata IS NOT NULL;
