CREATE TABLE t (id int PRIMARY KEY, v regclass); INSERT INTO t VALUES (1, 't'), (2, NULL);
