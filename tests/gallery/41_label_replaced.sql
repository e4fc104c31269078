-- One state was renamed in the data.
--
-- [[rows]]
-- table = "kisaan_transactions"
-- kind = "changed"
-- keys = "SELECT id FROM kisaan_transactions WHERE status = 'pending'"
-- columns = ["status"]
-- pattern = "value replaced"
-- facts = { from = "pending", to = "open" }
UPDATE kisaan_transactions SET status = 'open' WHERE status = 'pending';
