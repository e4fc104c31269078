-- The day on which a payment was recorded is the best known date of it; the time of the migration is none.
UPDATE kisaan_payments SET payment_date = created_at WHERE payment_date IS NULL;
ALTER TABLE kisaan_payments ALTER COLUMN payment_date SET NOT NULL;
