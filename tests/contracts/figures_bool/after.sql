UPDATE f SET a = coalesce(a, true);
UPDATE f SET b = NOT b;
