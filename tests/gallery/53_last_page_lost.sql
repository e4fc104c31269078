-- A copy that broke off: the last part of the ledger is missing.
--
-- [[rows]]
-- table = "kisaan_transaction_ledger"
-- kind = "removed"
-- keys = "SELECT id FROM kisaan_transaction_ledger WHERE id > 3000"
DELETE FROM kisaan_transaction_ledger WHERE id > 3000;
