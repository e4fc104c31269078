-- No note became an empty note.
--
-- [[rows]]
-- table = "kisaan_transactions"
-- kind = "changed"
-- keys = "SELECT id FROM kisaan_transactions WHERE notes IS NULL"
-- columns = ["notes"]
-- pattern = "NULL and empty"
-- facts = { became = "empty" }
UPDATE kisaan_transactions SET notes = '' WHERE notes IS NULL;
