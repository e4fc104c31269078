CREATE TABLE f (id int PRIMARY KEY, a numeric, b numeric, c numeric);
INSERT INTO f VALUES (1, 1, 1, 1), (2, 2, 2, 2);
