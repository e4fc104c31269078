UPDATE m SET v = 'NaN' WHERE id = 1;
