CREATE TABLE t (id int PRIMARY KEY, a int, b int);
CREATE STATISTICS x ON a, b FROM t; CREATE STATISTICS y (ndistinct) ON a, b FROM t;
