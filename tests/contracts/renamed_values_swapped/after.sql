ALTER TABLE s RENAME total TO amount; UPDATE s SET amount = 30 - amount WHERE id < 3;
