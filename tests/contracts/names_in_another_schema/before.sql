CREATE SCHEMA shop; CREATE TABLE shop.sales (id int PRIMARY KEY, v numeric(6,2)); INSERT INTO shop.sales VALUES (1, 1), (2, 2); CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1);
