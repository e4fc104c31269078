-- The best known date of an undated payment is the day it was recorded. created_at is still UTC without a zone here.
UPDATE kisaan_payments SET payment_date = created_at AT TIME ZONE 'UTC' WHERE payment_date IS NULL;
ALTER TABLE kisaan_payments ALTER COLUMN payment_date SET NOT NULL;
