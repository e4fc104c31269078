UPDATE f SET a = upper(a);
UPDATE f SET b = 'b' WHERE id = 2;
