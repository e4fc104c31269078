-- a column and its values in one transaction: the lock lasts as long as the UPDATE
-- finds: second-statement-under-lock
-- keeps out: payments readers writers
-- waits: payments readers writers
SET lock_timeout = '5s';
BEGIN;
ALTER TABLE payments ADD COLUMN product_id integer;
UPDATE payments SET product_id = sale_id % 7;
COMMIT;
