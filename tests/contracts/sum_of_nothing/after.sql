UPDATE m SET v = 0;
