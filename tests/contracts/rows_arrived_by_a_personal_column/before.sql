CREATE TABLE t (phone text, a int); INSERT INTO t VALUES ('9100000042', 1);
