UPDATE m SET v = v - 0.01 WHERE id = 2;
