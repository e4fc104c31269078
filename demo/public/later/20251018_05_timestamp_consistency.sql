-- Nothing to convert: in the public schema these four columns always had a zone.
ALTER TABLE kisaan_payments ALTER COLUMN created_at TYPE timestamptz, ALTER COLUMN updated_at TYPE timestamptz;
ALTER TABLE kisaan_transactions ALTER COLUMN created_at TYPE timestamptz, ALTER COLUMN updated_at TYPE timestamptz;
