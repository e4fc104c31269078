UPDATE f SET a = CASE WHEN id = 1 THEN 'Infinity' WHEN id = 2 THEN 1 ELSE a END;
UPDATE f SET b = 6 WHERE id = 3;
