-- a quick ALTER without lock_timeout: behind a long reader everybody waits
-- finds: no-lock-timeout
-- keeps out: sales readers writers
-- waits: sales readers writers
ALTER TABLE sales ADD COLUMN product_id integer;
