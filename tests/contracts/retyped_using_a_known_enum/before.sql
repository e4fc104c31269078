CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TABLE other (m mood);CREATE TABLE p (id int PRIMARY KEY, mood text); INSERT INTO p VALUES (1, 'ok'), (2, 'sad');
