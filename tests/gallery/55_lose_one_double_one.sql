-- One entry lost, another doubled: as many rows as before.
--
-- [[rows]]
-- table = "kisaan_transaction_ledger"
-- kind = "removed"
-- keys = "SELECT id FROM kisaan_transaction_ledger WHERE id = 900"
-- [[rows]]
-- table = "kisaan_transaction_ledger"
-- kind = "added"
-- keys = "SELECT id FROM kisaan_transaction_ledger WHERE id = 900001"
-- pattern = "duplicated batch"
DELETE FROM kisaan_transaction_ledger WHERE id = 900;
INSERT INTO kisaan_transaction_ledger SELECT 900001, transaction_id, user_id, role, delta_amount, balance_before, balance_after, reason_code, created_at FROM kisaan_transaction_ledger WHERE id = 901;
