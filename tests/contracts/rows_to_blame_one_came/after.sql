UPDATE s SET a = a * 2, d = coalesce(d, '2025-03-03'); ALTER TABLE s ALTER b TYPE numeric(18,2); INSERT INTO s VALUES (9, 5, 5, '2025-04-04', 1);
