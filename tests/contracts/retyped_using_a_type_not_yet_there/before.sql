CREATE TABLE p (id int PRIMARY KEY, mood text); INSERT INTO p VALUES (1, 'ok'), (2, 'sad');
