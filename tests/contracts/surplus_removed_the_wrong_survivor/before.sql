CREATE TABLE t (id text PRIMARY KEY, a int); INSERT INTO t VALUES ('a', 1), ('b', 2), ('c', 2), ('d', 3);
