CREATE TABLE s (id int PRIMARY KEY, qty int, price numeric(8,3), total numeric(10,2));
INSERT INTO s VALUES (1, 3, 0.335, 1.00), (2, 2, 10.000, 20.00);
