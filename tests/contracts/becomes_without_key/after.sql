UPDATE t SET v = v * 2;
