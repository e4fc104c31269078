UPDATE s SET a = a * 2 + 1; ALTER TABLE s ALTER b TYPE numeric(18,2) USING b + 1;
