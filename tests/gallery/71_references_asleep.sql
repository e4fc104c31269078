-- All triggers of a table are off, those of its foreign keys too.
--
-- [[schema]]
-- kind = "?"
-- table = "payment_allocations"
-- name = "?"
-- aspect = "?"
ALTER TABLE payment_allocations DISABLE TRIGGER ALL;
