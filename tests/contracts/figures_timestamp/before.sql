CREATE TABLE f (id int PRIMARY KEY, a timestamp, b timestamp, c timestamp);
INSERT INTO f VALUES (1, '2024-01-01 00:00', '2024-01-01 00:00', '2024-01-01 00:00'), (2, '2024-06-01 12:00', '2024-06-01 12:00', '2024-06-01 12:00');
