UPDATE f SET m = coalesce(m, 'ok'), b = coalesce(b, id = 1);
