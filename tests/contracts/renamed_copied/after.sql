ALTER TABLE s ADD amount numeric(12,2); UPDATE s SET amount = total;
