CREATE TABLE f (id int PRIMARY KEY, a json, b json, c json);
INSERT INTO f VALUES (1, '{}', '{}', '{}'), (2, NULL, NULL, NULL);
