-- FOREIGN KEY NOT VALID, then VALIDATE: a moment's lock on both
-- finds: nothing
-- keeps out: sales writers; users writers
-- waits: nobody
SET lock_timeout = '5s';
ALTER TABLE sales ADD CONSTRAINT sold_to FOREIGN KEY (user_id) REFERENCES users NOT VALID;
ALTER TABLE sales VALIDATE CONSTRAINT sold_to;
