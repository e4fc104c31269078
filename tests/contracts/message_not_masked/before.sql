CREATE TABLE p (id int PRIMARY KEY, code text, n int); INSERT INTO p VALUES (1, '42x', 1);
