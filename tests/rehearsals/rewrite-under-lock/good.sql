SET lock_timeout = '2s';
ALTER TABLE books ADD COLUMN pages_long bigint;
UPDATE books SET pages_long = pages WHERE id <= 1000;
UPDATE books SET pages_long = pages WHERE id > 1000;
ALTER TABLE books ALTER COLUMN title TYPE varchar;
