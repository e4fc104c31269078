-- The time of the last change was lost: it is the time of creation now.
--
-- [[rows]]
-- table = "kisaan_payments"
-- kind = "changed"
-- keys = "SELECT id FROM kisaan_payments WHERE updated_at <> created_at"
-- columns = ["updated_at"]
-- pattern = "copied from a column"
-- facts = { from = "created_at" }
UPDATE kisaan_payments SET updated_at = created_at WHERE updated_at <> created_at;
