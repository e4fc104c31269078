CREATE TABLE f (id int PRIMARY KEY, a bytea, b bytea, c bytea);
INSERT INTO f VALUES (1, 'x', 'x', 'x'), (2, NULL, NULL, NULL);
