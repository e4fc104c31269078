CREATE TABLE s (id int PRIMARY KEY, a int, b int); INSERT INTO s VALUES (1, 10, 12), (2, 20, 24);
