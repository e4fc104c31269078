UPDATE f SET a = a;
UPDATE f SET b = NULL WHERE id = 1;
