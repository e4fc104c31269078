UPDATE t SET a = 15 WHERE id = 2;
