CREATE TABLE m (id int PRIMARY KEY, v numeric); INSERT INTO m VALUES (1, 'NaN'), (2, 5);
