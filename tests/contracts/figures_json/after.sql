UPDATE f SET a = coalesce(a, '[]');
UPDATE f SET b = '[1]' WHERE id = 1;
