UPDATE f SET paid = made WHERE paid IS NULL;
