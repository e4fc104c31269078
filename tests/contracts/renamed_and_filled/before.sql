CREATE TABLE s (id int PRIMARY KEY, d date, made date); INSERT INTO s VALUES (1, NULL, '2025-01-01'), (2, '2025-02-02', '2025-02-01');
