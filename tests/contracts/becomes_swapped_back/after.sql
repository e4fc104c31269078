UPDATE t SET v = 4 - v;
