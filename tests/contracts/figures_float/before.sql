CREATE TABLE f (id int PRIMARY KEY, a float8, b float8, c float8);
INSERT INTO f VALUES (1, 0.1, 0.1, 0.1), (2, 0.2, 0.2, 0.2), (3, 1e300, 1e300, 1e300), (4, '-Infinity', '-Infinity', '-Infinity');
