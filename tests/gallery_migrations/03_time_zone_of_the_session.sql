-- timestamp to timestamptz: by the session's zone, and rewritten under Asia/Kolkata
-- finds: rewrite-under-lock, setting-dependent
-- keeps out: sales readers writers
-- waits: sales readers writers
SET lock_timeout = '5s';
SET TimeZone = 'Asia/Kolkata';
ALTER TABLE sales ALTER COLUMN made TYPE timestamptz;
