CREATE TABLE f (id int PRIMARY KEY, phone text, pay numeric); INSERT INTO f VALUES (1, '9100000042', 10), (2, NULL, 20);
