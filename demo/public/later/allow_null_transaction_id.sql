ALTER TABLE kisaan_payments ALTER COLUMN transaction_id DROP NOT NULL;
