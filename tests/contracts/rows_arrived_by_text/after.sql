INSERT INTO t VALUES ('a'), ('é');
