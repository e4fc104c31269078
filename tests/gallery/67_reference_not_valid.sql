-- A foreign key was made again, NOT VALID: old rows are not checked.
--
-- [[schema]]
-- kind = "constraint"
-- table = "payment_allocations"
-- name = "payment_allocations_payment_id_fkey"
-- aspect = "validated"
ALTER TABLE payment_allocations DROP CONSTRAINT payment_allocations_payment_id_fkey,
    ADD CONSTRAINT payment_allocations_payment_id_fkey FOREIGN KEY (payment_id) REFERENCES kisaan_payments (id) ON DELETE CASCADE NOT VALID;
