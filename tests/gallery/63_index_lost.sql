-- An index is gone.
--
-- [[schema]]
-- kind = "index"
-- table = "kisaan_payments"
-- name = "kisaan_payments_transaction_id"
-- aspect = "removed"
DROP INDEX kisaan_payments_transaction_id;
