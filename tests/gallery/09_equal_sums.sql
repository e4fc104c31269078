-- One paisa from one row to another: the same sum, the same number of rows.
--
-- [[rows]]
-- table = "kisaan_payments"
-- kind = "changed"
-- keys = "SELECT id FROM kisaan_payments WHERE id IN (123, 456)"
-- columns = ["amount"]
-- pattern = "unexplained"
UPDATE kisaan_payments SET amount = amount + 0.01 WHERE id = 123;
UPDATE kisaan_payments SET amount = amount - 0.01 WHERE id = 456;
