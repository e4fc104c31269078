-- ADD CHECK tests all rows under the strongest lock
-- finds: scan-under-lock
-- keeps out: sales readers writers
-- waits: sales readers writers
SET lock_timeout = '5s';
ALTER TABLE sales ADD CONSTRAINT positive CHECK (total > 0);
