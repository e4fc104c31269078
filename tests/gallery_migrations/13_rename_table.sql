-- a renamed table, while the application asks for it
-- finds: renamed-in-use
-- keeps out: payments readers writers
-- waits: payments readers writers
SET lock_timeout = '5s';
ALTER TABLE payments RENAME TO receipts;
