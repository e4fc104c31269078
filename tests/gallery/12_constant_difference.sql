-- Counterparties point one user further: an index that began at zero.
--
-- [[rows]]
-- table = "kisaan_payments"
-- kind = "changed"
-- keys = "SELECT id FROM kisaan_payments WHERE counterparty_id IS NOT NULL AND id % 9 = 4"
-- columns = ["counterparty_id"]
-- pattern = "constant difference"
-- facts = { difference = "+1" }
UPDATE kisaan_payments SET counterparty_id = counterparty_id + 1 WHERE counterparty_id IS NOT NULL AND id % 9 = 4;
