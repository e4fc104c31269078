-- A default is gone.
--
-- [[schema]]
-- kind = "column"
-- table = "kisaan_payments"
-- name = "status"
-- aspect = "default"
ALTER TABLE kisaan_payments ALTER COLUMN status DROP DEFAULT;
