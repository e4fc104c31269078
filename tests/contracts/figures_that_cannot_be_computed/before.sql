CREATE TABLE f (id int PRIMARY KEY, a numeric, b int); INSERT INTO f VALUES (1, 9e131071, 1), (2, 9e131071, 2);
