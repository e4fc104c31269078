UPDATE t SET a = a * 2;
