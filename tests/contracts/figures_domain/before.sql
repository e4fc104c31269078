CREATE DOMAIN price AS numeric(8,2) CHECK (VALUE > 0);
CREATE TABLE f (id int PRIMARY KEY, a price, b price, c price);
INSERT INTO f VALUES (1, 1.50, 1.50, 1.50), (2, 2, 2, 2);
