SET lock_timeout = '2s';
CREATE INDEX books_by_author ON books (author_id);
