-- NOT VALID and VALIDATE in one transaction: the reading is under the lock all the same
-- finds: validated-in-same-transaction
-- keeps out: sales readers writers
-- waits: sales readers writers
SET lock_timeout = '5s';
BEGIN;
ALTER TABLE sales ADD CONSTRAINT positive CHECK (total > 0) NOT VALID;
ALTER TABLE sales VALIDATE CONSTRAINT positive;
COMMIT;
