-- numeric(12,2) to numeric(12,4): another scale, so every row is rewritten
-- finds: rewrite-under-lock
-- keeps out: payments readers writers
-- waits: payments readers writers
SET lock_timeout = '5s';
ALTER TABLE payments ALTER COLUMN fee TYPE numeric(12,4);
