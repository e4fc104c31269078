SET lock_timeout = '2s';
ALTER TABLE books ADD COLUMN genre text;
RESET lock_timeout;
UPDATE books SET genre = 'novel' WHERE id < 100;
ALTER TABLE books SET (fillfactor = 90);
CREATE TABLE genres (name text PRIMARY KEY);
