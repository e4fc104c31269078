DELETE FROM t WHERE a <= 20 OR id % 2 = 0;
