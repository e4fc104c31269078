UPDATE f SET a = coalesce(a, 'ü');
UPDATE f SET b = '~' WHERE id = 4;
