UPDATE i SET paid = at::date WHERE paid IS NULL; ALTER TABLE i ALTER at TYPE timestamptz USING at AT TIME ZONE 'UTC', ALTER v TYPE numeric(12,2);
