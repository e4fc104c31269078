-- ADD FOREIGN KEY keeps writers from both tables while it reads
-- finds: foreign-key-scan
-- keeps out: sales writers; users writers
-- waits: nobody
SET lock_timeout = '5s';
ALTER TABLE sales ADD CONSTRAINT sold_to FOREIGN KEY (user_id) REFERENCES users;
