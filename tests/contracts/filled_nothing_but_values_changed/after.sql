UPDATE f SET made = '2020-01-01' WHERE id = 1;
