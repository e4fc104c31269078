UPDATE f SET a = a;
UPDATE f SET b = '721 hours' WHERE id = 1;
