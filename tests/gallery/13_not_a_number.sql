-- One amount is not a number.
--
-- [[rows]]
-- table = "kisaan_payments"
-- kind = "changed"
-- keys = "SELECT id FROM kisaan_payments WHERE id = 77"
-- columns = ["amount"]
-- pattern = "unexplained"
UPDATE kisaan_payments SET amount = 'NaN' WHERE id = 77;
