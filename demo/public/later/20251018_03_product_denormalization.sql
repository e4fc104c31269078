ALTER TABLE kisaan_payments ADD COLUMN IF NOT EXISTS product_id integer;
