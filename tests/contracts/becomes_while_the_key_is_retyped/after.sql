ALTER TABLE t ALTER id TYPE numeric(20,2); UPDATE t SET v = v * 2;
