CREATE TABLE s (id int PRIMARY KEY, net int, gross int);
INSERT INTO s SELECT n, n, n * 2 FROM generate_series(1, 9) AS n;
;
