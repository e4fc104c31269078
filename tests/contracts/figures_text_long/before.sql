CREATE TABLE f (id int PRIMARY KEY, a text, b text, c text);
INSERT INTO f VALUES (1, repeat('x', 300), repeat('x', 300), repeat('x', 300)), (2, 'y', 'y', 'y');
