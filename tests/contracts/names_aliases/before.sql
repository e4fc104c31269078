CREATE TABLE loans (id int PRIMARY KEY, v int); INSERT INTO loans VALUES (1, 1), (2, 2), (3, 3);
