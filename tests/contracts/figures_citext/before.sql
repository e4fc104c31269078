CREATE EXTENSION citext;
CREATE TABLE f (id int PRIMARY KEY, a citext, b citext, c citext);
INSERT INTO f VALUES (1, 'a', 'a', 'a'), (2, 'B', 'B', 'B');
