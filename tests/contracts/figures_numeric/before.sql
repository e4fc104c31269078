CREATE TABLE f (id int PRIMARY KEY, a numeric(12,4), b numeric(12,4), c numeric(12,4));
INSERT INTO f VALUES (1, 1.5000, 1.5000, 1.5000), (2, -2.25, -2.25, -2.25), (3, NULL, NULL, NULL), (4, 1e7, 1e7, 1e7);
