-- The famous 5 h 30 min: timestamps cast in an Asia/Kolkata session.
--
-- [[rows]]
-- table = "kisaan_payments"
-- kind = "changed"
-- keys = "SELECT id FROM kisaan_payments WHERE true"
-- columns = ["created_at", "updated_at"]
-- pattern = "time shift"
-- facts = { shift = "-05:30" }
UPDATE kisaan_payments SET created_at = created_at - interval '5:30', updated_at = updated_at - interval '5:30';
