ALTER TABLE s ALTER total TYPE numeric(20,2); UPDATE s SET total = qty * 10000000000;
