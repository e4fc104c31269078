DELETE FROM old.t WHERE id = 2;
