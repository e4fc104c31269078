CREATE TABLE s (id int PRIMARY KEY, amount int); INSERT INTO s VALUES (1, 1);
