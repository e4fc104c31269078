CREATE TABLE f (id int PRIMARY KEY, a interval, b interval, c interval);
INSERT INTO f VALUES (1, '1 mon', '1 mon', '1 mon'), (2, '30 days', '30 days', '30 days');
