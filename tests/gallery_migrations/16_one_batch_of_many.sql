-- a file of the usual runner: one message, so that the first lock lasts to its end
-- finds: second-statement-under-lock, no-lock-timeout
-- keeps out: sales readers writers; users readers writers
-- waits: users readers writers
-- sent: as one batch
ALTER TABLE users ADD COLUMN phone text;
ALTER TABLE sales ADD COLUMN product_id integer;
UPDATE sales SET product_id = 1 WHERE id < 100;
