CREATE TABLE base (id int PRIMARY KEY, v int); CREATE TABLE child (w int) INHERITS (base); INSERT INTO child VALUES (1, 2, 3);
