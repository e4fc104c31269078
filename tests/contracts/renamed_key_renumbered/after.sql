ALTER TABLE s RENAME id TO sale_id; UPDATE s SET sale_id = sale_id + 10;
