SET lock_timeout = '2s';
ALTER TABLE books ADD CONSTRAINT written_by FOREIGN KEY (author_id) REFERENCES authors;
