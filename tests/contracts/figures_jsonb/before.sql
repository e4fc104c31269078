CREATE TABLE f (id int PRIMARY KEY, a jsonb, b jsonb, c jsonb);
INSERT INTO f VALUES (1, '{}', '{}', '{}'), (2, 'null', 'null', 'null');
