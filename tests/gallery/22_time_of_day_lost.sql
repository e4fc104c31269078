-- Payments kept their day and lost their time.
--
-- [[rows]]
-- table = "kisaan_payments"
-- kind = "changed"
-- keys = "SELECT id FROM kisaan_payments WHERE id % 6 = 1"
-- columns = ["payment_date"]
-- pattern = "time precision lost"
-- facts = { unit = "day", way = "cut off", zone = "UTC" }
UPDATE kisaan_payments SET payment_date = date_trunc('day', payment_date, 'UTC') WHERE id % 6 = 1;
