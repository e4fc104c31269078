-- Settlements lost their fractions of a second.
--
-- [[rows]]
-- table = "kisaan_transactions"
-- kind = "changed"
-- keys = "SELECT id FROM kisaan_transactions WHERE settlement_date <> date_trunc('second', settlement_date)"
-- columns = ["settlement_date"]
-- pattern = "time precision lost"
-- facts = { unit = "second", way = "cut off", zone = "UTC" }
UPDATE kisaan_transactions SET settlement_date = date_trunc('second', settlement_date) WHERE settlement_date <> date_trunc('second', settlement_date);
