CREATE TABLE t (id int PRIMARY KEY, a int);
INSERT INTO t VALUES (1, -1), (2, -2), (3, 3);
