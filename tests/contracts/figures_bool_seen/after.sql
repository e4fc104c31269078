UPDATE f SET a = NOT a;
UPDATE f SET b = true;
