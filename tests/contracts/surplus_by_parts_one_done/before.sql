CREATE TABLE c (id int PRIMARY KEY, shop int, rate numeric(5,2), note text);
INSERT INTO c VALUES (1, 1, 5, 'a'), (2, 1, 5, 'b'), (3, NULL, 7, 'c'), (4, NULL, 7, 'd'), (5, 2, 5, 'e');
