-- text to date by the session's DateStyle, and rewritten
-- finds: rewrite-under-lock, setting-dependent
-- keeps out: payments readers writers
-- waits: payments readers writers
SET lock_timeout = '5s';
ALTER TABLE payments ALTER COLUMN paid_on DROP DEFAULT;
ALTER TABLE payments ALTER COLUMN paid_on TYPE date USING paid_on::date;
