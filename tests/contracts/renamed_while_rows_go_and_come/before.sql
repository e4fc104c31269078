CREATE TABLE s (id int PRIMARY KEY, a int); INSERT INTO s SELECT n, n FROM generate_series(1, 9) AS n;
