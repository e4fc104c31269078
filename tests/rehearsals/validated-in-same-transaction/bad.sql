SET lock_timeout = '2s';
BEGIN;
ALTER TABLE books ADD CONSTRAINT has_pages CHECK (pages > 0) NOT VALID;
ALTER TABLE books VALIDATE CONSTRAINT has_pages;
COMMIT;
