UPDATE f SET a = a;
UPDATE f SET b = 'NaN' WHERE id = 2;
