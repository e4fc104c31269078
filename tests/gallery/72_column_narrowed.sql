-- Money in fewer digits.
--
-- [[schema]]
-- kind = "column"
-- table = "kisaan_payments"
-- name = "amount"
-- aspect = "type"
ALTER TABLE kisaan_payments ALTER COLUMN amount TYPE numeric(14,2);
