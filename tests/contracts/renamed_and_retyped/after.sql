ALTER TABLE s RENAME total TO amount; ALTER TABLE s ALTER note TYPE varchar(9); DROP VIEW v; ALTER TABLE s ALTER amount TYPE numeric(18,4) USING amount * 2;
