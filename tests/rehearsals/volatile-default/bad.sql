SET lock_timeout = '2s';
ALTER TABLE books ADD COLUMN shelf double precision DEFAULT random();
