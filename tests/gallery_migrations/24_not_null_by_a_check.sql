-- SET NOT NULL where a validated CHECK proves it: no row is read
-- finds: nothing
-- keeps out: payments readers writers
-- waits: payments readers writers
SET lock_timeout = '5s';
ALTER TABLE payments ALTER COLUMN amount SET NOT NULL;
