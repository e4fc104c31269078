UPDATE f SET a = a;
UPDATE f SET b = -b;
