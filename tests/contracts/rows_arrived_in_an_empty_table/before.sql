CREATE TABLE t (id int PRIMARY KEY, a numeric(10,2));
