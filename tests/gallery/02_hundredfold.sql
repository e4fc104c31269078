-- Rupees were taken for paise: commissions a hundredfold.
--
-- [[rows]]
-- table = "kisaan_transactions"
-- kind = "changed"
-- keys = "SELECT id FROM kisaan_transactions WHERE id % 50 = 7"
-- columns = ["commission_amount"]
-- pattern = "power of ten"
-- facts = { factor = "100" }
UPDATE kisaan_transactions SET commission_amount = commission_amount * 100 WHERE id % 50 = 7;
