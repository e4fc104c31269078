CREATE TABLE f (id int PRIMARY KEY, a time, b time, c time);
INSERT INTO f VALUES (1, '00:00', '00:00', '00:00'), (2, '24:00', '24:00', '24:00');
