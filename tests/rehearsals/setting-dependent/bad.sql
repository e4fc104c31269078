SET lock_timeout = '2s';
SET TimeZone = 'UTC';
ALTER TABLE books ALTER COLUMN printed TYPE timestamptz;
