-- Forty allocations are gone.
--
-- [[rows]]
-- table = "payment_allocations"
-- kind = "removed"
-- keys = "SELECT id FROM payment_allocations WHERE id % 6 = 2"
DELETE FROM payment_allocations WHERE id % 6 = 2;
