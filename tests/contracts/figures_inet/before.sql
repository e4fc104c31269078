CREATE TABLE f (id int PRIMARY KEY, a inet, b inet, c inet);
INSERT INTO f VALUES (1, '10.0.0.1', '10.0.0.1', '10.0.0.1'), (2, '192.168.0.0/16', '192.168.0.0/16', '192.168.0.0/16');
