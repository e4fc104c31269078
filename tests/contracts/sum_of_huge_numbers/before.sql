CREATE TABLE m (id int PRIMARY KEY, v numeric); INSERT INTO m SELECT n, 10::numeric ^ 1000 FROM generate_series(1, 3) AS n;
