UPDATE t SET a = abs(a);
