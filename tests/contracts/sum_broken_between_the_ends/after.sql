UPDATE m SET v = 16 WHERE id = 4;
