UPDATE s SET a = (SELECT v FROM w WHERE w.id = s.p); DELETE FROM s WHERE id = 2;
