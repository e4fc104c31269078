UPDATE f SET a = coalesce(a, '{}');
UPDATE f SET b = NULL;
