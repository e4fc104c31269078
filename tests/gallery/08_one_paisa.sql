-- One paisa in one row.
--
-- [[rows]]
-- table = "kisaan_payments"
-- kind = "changed"
-- keys = "SELECT id FROM kisaan_payments WHERE id = 500"
-- columns = ["amount"]
-- pattern = "unexplained"
UPDATE kisaan_payments SET amount = amount + 0.01 WHERE id = 500;
