CREATE TYPE mood AS ENUM ('sad', 'ok', 'meh');
CREATE TABLE f (id int PRIMARY KEY, a mood, b mood, c mood);
INSERT INTO f VALUES (1, 'sad', 'sad', 'sad'), (2, 'ok', 'ok', 'ok');
