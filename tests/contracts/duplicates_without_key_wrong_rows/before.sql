CREATE TABLE t (a int, b int); INSERT INTO t VALUES (1, 10), (1, 20), (2, 5);
