CREATE TABLE m (id int PRIMARY KEY, v numeric(10,2));
INSERT INTO m VALUES (1, 10.50), (2, 20.25), (3, NULL);
