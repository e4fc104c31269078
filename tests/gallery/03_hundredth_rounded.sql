-- A hundredth, and what no longer fitted two decimals was rounded away.
--
-- [[rows]]
-- table = "kisaan_transaction_ledger"
-- kind = "changed"
-- keys = "SELECT id FROM kisaan_transaction_ledger WHERE id % 60 = 11"
-- columns = ["delta_amount"]
-- pattern = "power of ten, rounded"
-- facts = { factor = "0.01", decimals = "2" }
UPDATE kisaan_transaction_ledger SET delta_amount = round(delta_amount / 100, 2) WHERE id % 60 = 11;
