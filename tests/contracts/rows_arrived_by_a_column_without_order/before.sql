CREATE TABLE t (ok bool); INSERT INTO t VALUES (true);
