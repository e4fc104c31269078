CREATE TABLE t ("Shop, No" int, n int, PRIMARY KEY ("Shop, No", n)); INSERT INTO t VALUES (1, 1), (1, 2), (2, 1);
