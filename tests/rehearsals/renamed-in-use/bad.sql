SET lock_timeout = '2s';
ALTER TABLE books RENAME COLUMN title TO name;
