UPDATE f SET a = CASE WHEN id = 2 THEN repeat('x', 300) || 'z' ELSE a END;
UPDATE f SET b = repeat('x', 199) || 'a' WHERE id = 1;
