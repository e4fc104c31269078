CREATE TABLE t (id int PRIMARY KEY, n text); INSERT INTO t VALUES (1, 'a  b'), (2, 'a b'), (3, 'c');
