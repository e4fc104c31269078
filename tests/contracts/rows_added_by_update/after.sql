UPDATE t SET a = a + 100 WHERE id < 3;
