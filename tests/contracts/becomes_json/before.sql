CREATE TABLE s (id int PRIMARY KEY, j jsonb); INSERT INTO s VALUES (1, '{}'), (2, NULL);
