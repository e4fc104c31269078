UPDATE s SET total = 7 WHERE id = 1;
