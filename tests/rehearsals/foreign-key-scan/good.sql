SET lock_timeout = '2s';
ALTER TABLE books ADD CONSTRAINT written_by FOREIGN KEY (author_id) REFERENCES authors NOT VALID;
ALTER TABLE books VALIDATE CONSTRAINT written_by;
CREATE TABLE loans (book_id integer REFERENCES books, since timestamptz);
