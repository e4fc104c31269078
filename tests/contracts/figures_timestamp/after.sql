UPDATE f SET a = a + interval '1 hour';
UPDATE f SET b = b + interval '1 microsecond' WHERE id = 2;
