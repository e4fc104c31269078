UPDATE t SET v = v * 2; UPDATE t SET v = 10 - v WHERE k IN (2, 3);
