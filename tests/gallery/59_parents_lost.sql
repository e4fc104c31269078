-- Sales deleted under their payments, while foreign keys slept.
--
-- [[rows]]
-- table = "kisaan_transactions"
-- kind = "removed"
-- keys = "SELECT id FROM kisaan_transactions WHERE id IN (11, 12, 13)"
SET session_replication_role = replica;
DELETE FROM kisaan_transactions WHERE id IN (11, 12, 13);
