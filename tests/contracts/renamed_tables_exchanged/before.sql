CREATE TABLE s (id int PRIMARY KEY, a int); CREATE TABLE s_new (id int PRIMARY KEY, b int); INSERT INTO s VALUES (1, 1); INSERT INTO s_new VALUES (1, 2), (2, 3);
