CREATE TABLE authors (id integer PRIMARY KEY, name text);
CREATE TABLE books (
  id integer PRIMARY KEY, title text, author_id integer, pages integer, printed timestamp, bought text
);
INSERT INTO authors SELECT n, 'author ' || n FROM generate_series(1, 50) AS n;
INSERT INTO books
SELECT n, 'book ' || n, n % 50 + 1, n % 700 + 1, '2026-01-01'::timestamp + n * interval '1 hour', '2026-03-04'
  FROM generate_series(1, 2000) AS n;
