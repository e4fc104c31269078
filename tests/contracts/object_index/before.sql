CREATE TABLE t (id int PRIMARY KEY, a int, b int);
CREATE INDEX i ON t (a); CREATE INDEX j ON t (b);
