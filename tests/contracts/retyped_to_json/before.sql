CREATE TABLE p (id int PRIMARY KEY, d text); INSERT INTO p VALUES (1, '{}'), (2, NULL);
