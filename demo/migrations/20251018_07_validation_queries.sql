-- Payments without a date: should be 0.
SELECT count(*) FROM kisaan_payments WHERE payment_date IS NULL;
-- Duplicate commissions: should be 0.
SELECT count(*) FROM kisaan_commissions GROUP BY shop_id, rate, type HAVING count(*) > 1;
-- Monetary columns.
SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'kisaan_payments' AND column_name = 'amount';
-- Payments whose product differs from their transaction's.
SELECT count(*) FROM kisaan_payments p JOIN kisaan_transactions t ON t.id = p.transaction_id WHERE p.product_id <> t.product_id;
