UPDATE m SET v = 1 WHERE id = 1;
