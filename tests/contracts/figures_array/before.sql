CREATE TABLE f (id int PRIMARY KEY, a int[], b int[], c int[]);
INSERT INTO f VALUES (1, '{1,2}', '{1,2}', '{1,2}'), (2, NULL, NULL, NULL);
