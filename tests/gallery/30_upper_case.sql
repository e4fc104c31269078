-- Names in capitals.
--
-- [[rows]]
-- table = "kisaan_transactions"
-- kind = "changed"
-- keys = "SELECT id FROM kisaan_transactions WHERE id % 21 = 5"
-- columns = ["product_name"]
-- pattern = "letter case"
-- facts = { case = "upper" }
UPDATE kisaan_transactions SET product_name = upper(product_name) WHERE id % 21 = 5;
