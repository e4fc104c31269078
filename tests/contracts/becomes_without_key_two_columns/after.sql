UPDATE t SET v = v * 2, w = w * 3;
