-- A foreign key is gone.
--
-- [[schema]]
-- kind = "constraint"
-- table = "payment_allocations"
-- name = "payment_allocations_payment_id_fkey"
-- aspect = "removed"
ALTER TABLE payment_allocations DROP CONSTRAINT payment_allocations_payment_id_fkey;
