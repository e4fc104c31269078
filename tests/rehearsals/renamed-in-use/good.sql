SET lock_timeout = '2s';
CREATE VIEW titles AS SELECT id, title AS name FROM books;
ALTER INDEX books_pkey RENAME TO books_key;
