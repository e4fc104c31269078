-- 2025 became 0025.
--
-- [[rows]]
-- table = "kisaan_payments"
-- kind = "changed"
-- keys = "SELECT id FROM kisaan_payments WHERE id % 80 = 3"
-- columns = ["payment_date"]
-- pattern = "calendar shift"
-- facts = { months = "-24000" }
UPDATE kisaan_payments SET payment_date = payment_date - interval '2000 years' WHERE id % 80 = 3;
