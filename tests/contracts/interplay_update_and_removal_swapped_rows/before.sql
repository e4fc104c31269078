CREATE TABLE i (id int PRIMARY KEY, at timestamp, paid date, v numeric(8,2));
INSERT INTO i VALUES (1, '2024-01-01 10:00', NULL, 10), (2, '2024-01-02 10:00', '2024-01-03', 20), (3, '2024-01-03 10:00', NULL, 30), (4, '2024-01-04 10:00', NULL, 40);
