-- NOT VALID, then VALIDATE by itself: writers go on while rows are read
-- finds: nothing
-- keeps out: sales readers writers
-- waits: sales readers writers
SET lock_timeout = '5s';
ALTER TABLE sales ADD CONSTRAINT positive CHECK (total > 0) NOT VALID;
ALTER TABLE sales VALIDATE CONSTRAINT positive;
