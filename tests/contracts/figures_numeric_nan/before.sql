CREATE TABLE f (id int PRIMARY KEY, a numeric, b numeric, c numeric);
INSERT INTO f VALUES (1, 'NaN', 'NaN', 'NaN'), (2, '-Infinity', '-Infinity', '-Infinity'), (3, 5, 5, 5);
