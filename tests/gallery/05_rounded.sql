-- Amounts rounded to whole rupees, half away from zero.
--
-- [[rows]]
-- table = "kisaan_payments"
-- kind = "changed"
-- keys = "SELECT id FROM kisaan_payments WHERE amount <> round(amount)"
-- columns = ["amount"]
-- pattern = "scale lost"
-- facts = { rounding = "rounded", decimals = "0" }
UPDATE kisaan_payments SET amount = round(amount) WHERE amount <> round(amount);
