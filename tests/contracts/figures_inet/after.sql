UPDATE f SET a = '::1';
UPDATE f SET b = '10.0.0.2' WHERE id = 1;
