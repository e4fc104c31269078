CREATE TABLE f (id int PRIMARY KEY, a text, b text, c text);
INSERT INTO f VALUES (1, 'b', 'b', 'b'), (2, 'B', 'B', 'B'), (3, NULL, NULL, NULL), (4, 'é', 'é', 'é'), (5, '', '', '');
