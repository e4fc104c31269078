CREATE TABLE t (id int PRIMARY KEY, a numeric(10,2));
INSERT INTO t VALUES (1, 10), (2, 20), (3, 30);
