CREATE TABLE f (id int PRIMARY KEY, a timestamptz, b timestamptz, c timestamptz);
INSERT INTO f VALUES (1, '4713-01-01 00:00:00+00 BC', '4713-01-01 00:00:00+00 BC', '4713-01-01 00:00:00+00 BC'), (2, '294276-12-31 23:59:59.999999+00', '294276-12-31 23:59:59.999999+00', '294276-12-31 23:59:59.999999+00'), (3, 'infinity', 'infinity', 'infinity');
