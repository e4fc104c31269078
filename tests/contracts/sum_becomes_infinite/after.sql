ALTER TABLE m ALTER v TYPE numeric; UPDATE m SET v = 'Infinity' WHERE id = 2;
