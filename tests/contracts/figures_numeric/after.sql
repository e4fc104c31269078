UPDATE f SET a = coalesce(a, 0) * 2;
UPDATE f SET b = 9 WHERE id = 2;
