-- SET NOT NULL tests all rows under the strongest lock
-- finds: not-null-scan
-- keeps out: sales readers writers
-- waits: sales readers writers
SET lock_timeout = '5s';
ALTER TABLE sales ALTER COLUMN note SET NOT NULL;
