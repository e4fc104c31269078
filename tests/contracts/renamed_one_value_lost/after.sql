ALTER TABLE s RENAME total TO amount; UPDATE s SET amount = NULL WHERE id = 2;
