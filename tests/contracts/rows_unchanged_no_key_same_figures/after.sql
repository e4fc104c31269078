UPDATE t SET b = 5 - b WHERE a IN (2, 3);
