UPDATE t SET a = 3 WHERE a = 2;
