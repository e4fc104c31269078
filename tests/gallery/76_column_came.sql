-- A column came; its rows did not change.
--
-- [[schema]]
-- kind = "column"
-- table = "kisaan_payments"
-- name = "batch"
-- aspect = "added"
ALTER TABLE kisaan_payments ADD COLUMN batch integer DEFAULT 7;
