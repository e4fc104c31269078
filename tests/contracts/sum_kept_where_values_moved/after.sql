UPDATE m SET v = v + 1 WHERE id = 1; UPDATE m SET v = v - 1 WHERE id = 2;
