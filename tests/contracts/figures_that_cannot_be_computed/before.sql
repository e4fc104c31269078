CREATE TABLE f (id int PRIMARY KEY, a float8, b int); INSERT INTO f VALUES (1, 1e308, 1), (2, 1e308, 2);
