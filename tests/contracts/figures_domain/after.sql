UPDATE f SET a = a + 1;
UPDATE f SET b = 3 WHERE id = 2;
