CREATE TABLE t (id int PRIMARY KEY, j json); INSERT INTO t VALUES (1, '{}'), (2, '{}');
