-- Names of produce cut off after five characters.
--
-- [[rows]]
-- table = "kisaan_transactions"
-- kind = "changed"
-- keys = "SELECT id FROM kisaan_transactions WHERE length(product_name) > 5"
-- columns = ["product_name"]
-- pattern = "truncated"
-- facts = { characters = "5" }
UPDATE kisaan_transactions SET product_name = left(product_name, 5) WHERE length(product_name) > 5;
