DELETE FROM shop.sales WHERE id = 2; ALTER TABLE shop.sales ALTER v TYPE numeric(8,2), ADD x int; UPDATE shop.sales SET v = v * 10; CREATE INDEX sales_v ON shop.sales (v);
