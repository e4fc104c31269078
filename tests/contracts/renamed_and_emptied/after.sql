DROP VIEW v; ALTER TABLE s DROP total; ALTER TABLE s ADD amount numeric(12,2);
