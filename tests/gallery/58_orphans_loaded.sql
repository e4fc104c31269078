-- Payments of sales that do not exist, loaded while foreign keys slept.
--
-- [[rows]]
-- table = "kisaan_payments"
-- kind = "added"
-- keys = "SELECT id FROM kisaan_payments WHERE id > 700000"
SET session_replication_role = replica;
INSERT INTO kisaan_payments (id, transaction_id, shop_id, counterparty_id, payer_type, payee_type, amount, status, payment_date, method, created_at, updated_at)
SELECT 700000 + n, 900000 + n, 1, 62, 'BUYER', 'SHOP', 10 + n, 'PAID', timestamptz '2025-10-01 06:00+00' + n * interval '1 minute', 'UPI', timestamptz '2025-10-01 06:00+00', timestamptz '2025-10-01 06:00+00' FROM generate_series(1, 5) n;
