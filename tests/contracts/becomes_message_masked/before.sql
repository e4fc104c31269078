CREATE TABLE p (id int PRIMARY KEY, phone text, n int); INSERT INTO p VALUES (1, '9100000042x', 1);
