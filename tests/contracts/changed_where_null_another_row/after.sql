UPDATE t SET v = 3 WHERE id IN (2, 1); UPDATE t SET v = 1 WHERE id = 3;
