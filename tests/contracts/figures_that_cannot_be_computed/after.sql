UPDATE f SET b = b + 1;
