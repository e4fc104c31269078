UPDATE kisaan_payments SET payment_date = now() WHERE payment_date IS NULL;
ALTER TABLE kisaan_payments ALTER COLUMN payment_date SET NOT NULL;
