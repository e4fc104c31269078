-- A table that a migration forgot to drop.
--
-- [[schema]]
-- kind = "table"
-- table = "kisaan_payments_backup"
-- name = "kisaan_payments_backup"
-- aspect = "added"
CREATE TABLE kisaan_payments_backup AS SELECT * FROM kisaan_payments;
