CREATE TABLE t (at timestamptz, a int); INSERT INTO t VALUES ('2024-01-01 10:00+00', 1);
