-- Payments in cash are paid by card now.
--
-- [[rows]]
-- table = "kisaan_payments"
-- kind = "changed"
-- keys = "SELECT id FROM kisaan_payments WHERE method = 'CASH' AND id % 4 = 1"
-- columns = ["method"]
-- pattern = "value replaced"
-- facts = { from = "CASH", to = "CARD" }
UPDATE kisaan_payments SET method = 'CARD' WHERE method = 'CASH' AND id % 4 = 1;
