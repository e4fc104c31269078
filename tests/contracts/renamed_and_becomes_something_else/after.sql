ALTER TABLE s RENAME total TO amount; UPDATE s SET amount = amount + 1;
