UPDATE f SET a = a * 2;
UPDATE f SET b = '720 hours' WHERE id < 3;
