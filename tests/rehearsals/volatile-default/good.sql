SET lock_timeout = '2s';
ALTER TABLE books ADD COLUMN shelf double precision;
ALTER TABLE books ALTER COLUMN shelf SET DEFAULT random();
UPDATE books SET shelf = random() WHERE id <= 1000;
UPDATE books SET shelf = random() WHERE id > 1000;
ALTER TABLE books ADD COLUMN copies integer NOT NULL DEFAULT 1;
