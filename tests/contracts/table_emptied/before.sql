CREATE TABLE e (id int PRIMARY KEY, v numeric(6,2)); INSERT INTO e VALUES (1, 5);
