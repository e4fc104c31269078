CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TABLE f (id int PRIMARY KEY, m mood, b bool); INSERT INTO f VALUES (1, 'sad', NULL), (2, NULL, false);
