UPDATE f SET a = a / 2;
UPDATE f SET b = b - 1 WHERE id = 2;
