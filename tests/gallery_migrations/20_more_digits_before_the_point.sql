-- numeric(12,2) to numeric(18,2): the same scale, so no row is touched
-- finds: nothing
-- keeps out: payments readers writers
-- waits: payments readers writers
SET lock_timeout = '5s';
ALTER TABLE payments ALTER COLUMN fee TYPE numeric(18,2);
