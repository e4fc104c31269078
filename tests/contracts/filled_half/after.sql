UPDATE f SET paid = made WHERE id = 2;
