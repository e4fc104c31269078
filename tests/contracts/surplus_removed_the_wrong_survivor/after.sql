DELETE FROM t WHERE id = 'b';
