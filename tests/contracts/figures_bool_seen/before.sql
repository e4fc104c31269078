CREATE TABLE f (id int PRIMARY KEY, a bool, b bool, c bool);
INSERT INTO f VALUES (1, true, true, true), (2, false, false, false);
