UPDATE f SET a = coalesce(a, '2024-03-01');
UPDATE f SET b = '0001-01-01 BC' WHERE id = 2;
