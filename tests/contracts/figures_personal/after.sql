UPDATE f SET phone = '9100000099', pay = pay + 1;
