UPDATE t SET id = 3 WHERE id = 2; UPDATE t SET id = 4 WHERE id = 5;
