-- A column is gone; its rows did not change.
--
-- [[schema]]
-- kind = "column"
-- table = "kisaan_payments"
-- name = "notes"
-- aspect = "removed"
ALTER TABLE kisaan_payments DROP COLUMN notes;
