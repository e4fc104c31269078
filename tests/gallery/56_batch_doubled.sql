-- A batch was loaded twice, under new numbers.
--
-- [[rows]]
-- table = "kisaan_transaction_ledger"
-- kind = "added"
-- keys = "SELECT id FROM kisaan_transaction_ledger WHERE id > 800000"
-- pattern = "duplicated batch"
INSERT INTO kisaan_transaction_ledger SELECT id + 800000, transaction_id, user_id, role, delta_amount, balance_before, balance_after, reason_code, created_at FROM kisaan_transaction_ledger WHERE id BETWEEN 1001 AND 1250;
