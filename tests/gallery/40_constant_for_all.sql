-- Three states of a sale became one.
--
-- [[rows]]
-- table = "kisaan_transactions"
-- kind = "changed"
-- keys = "SELECT id FROM kisaan_transactions WHERE status <> 'completed'"
-- columns = ["status"]
-- pattern = "constant"
-- facts = { constant = "completed" }
UPDATE kisaan_transactions SET status = 'completed' WHERE status <> 'completed';
