-- Notes are gone.
--
-- [[rows]]
-- table = "kisaan_payments"
-- kind = "changed"
-- keys = "SELECT id FROM kisaan_payments WHERE notes LIKE 'Advance%'"
-- columns = ["notes"]
-- pattern = "became NULL"
UPDATE kisaan_payments SET notes = NULL WHERE notes LIKE 'Advance%';
