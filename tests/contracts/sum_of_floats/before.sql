CREATE TABLE m (id int PRIMARY KEY, v float8); INSERT INTO m VALUES (1, 0.1), (2, 0.2), (3, 0.3);
