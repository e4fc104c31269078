CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t VALUES (1, 0), (2, 1), (3, 2), (4, 2), (5, 1), (6, 0);
