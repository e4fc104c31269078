UPDATE f SET a = coalesce(a, 'y');
UPDATE f SET b = 'z' WHERE id = 1;
