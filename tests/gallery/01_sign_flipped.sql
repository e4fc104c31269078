-- Every 97th payment has its sign turned.
--
-- [[rows]]
-- table = "kisaan_payments"
-- kind = "changed"
-- keys = "SELECT id FROM kisaan_payments WHERE id % 97 = 3"
-- columns = ["amount"]
-- pattern = "sign flipped"
UPDATE kisaan_payments SET amount = -amount WHERE id % 97 = 3;
