SET lock_timeout = '2s';
CREATE INDEX CONCURRENTLY books_by_author ON books (author_id);
CREATE UNIQUE INDEX CONCURRENTLY books_title ON books (title);
ALTER TABLE books ADD CONSTRAINT books_title UNIQUE USING INDEX books_title;
CREATE TABLE shelves (id integer PRIMARY KEY, room text UNIQUE);
REINDEX INDEX CONCURRENTLY books_by_author;
