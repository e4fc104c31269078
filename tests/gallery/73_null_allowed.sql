-- A date may be missing again.
--
-- [[schema]]
-- kind = "column"
-- table = "kisaan_payments"
-- name = "payment_date"
-- aspect = "not null"
ALTER TABLE kisaan_payments ALTER COLUMN payment_date DROP NOT NULL;
