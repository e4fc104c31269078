ALTER TABLE s RENAME d TO paid; UPDATE s SET paid = made WHERE paid IS NULL;
