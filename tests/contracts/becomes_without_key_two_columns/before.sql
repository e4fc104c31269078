CREATE TABLE t (k int, v int, w int); INSERT INTO t VALUES (1, 1, 1), (1, 2, 2);
