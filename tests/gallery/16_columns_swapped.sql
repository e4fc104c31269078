-- The shop's and the farmer's share of a sale changed places.
--
-- [[rows]]
-- table = "kisaan_transactions"
-- kind = "changed"
-- keys = "SELECT id FROM kisaan_transactions WHERE id % 40 = 9"
-- columns = ["commission_amount", "farmer_earning"]
-- pattern = "columns swapped"
UPDATE kisaan_transactions SET commission_amount = farmer_earning, farmer_earning = commission_amount WHERE id % 40 = 9;
