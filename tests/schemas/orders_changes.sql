UPDATE orders SET freight = freight + 0.01::money WHERE order_id = 12;
UPDATE order_details SET unit_price = '$999.99', discount = 0.125 WHERE order_id = 25 AND product_id = 25;
DELETE FROM orders WHERE order_id = 40;  -- with its three lines
UPDATE orders SET order_id = 5000 WHERE order_id = 41;  -- and its lines follow
UPDATE book SET price = price + 0.00000001 WHERE venue = 'XNSE' AND symbol = 'ABC' AND side = 'B' AND level = 1;
UPDATE book SET quantity = 7 WHERE venue = 'XBOM' AND symbol = 'abc' AND side = 'S' AND price < 102;
INSERT INTO tape SELECT * FROM tape WHERE flags = B'0011' ORDER BY at LIMIT 2;
DELETE FROM tape WHERE price = 'NaN';
UPDATE employees SET working_hours = working_hours + interval '1 microsecond', reports_to = 2 WHERE employee_id = 9;
UPDATE categories SET picture = set_byte(picture, 3, 255 - get_byte(picture, 3)) WHERE category_id = 4;
ALTER TABLE products ALTER product_name TYPE varchar(80);
ALTER TABLE products ALTER unit_price TYPE numeric(12,2);
ALTER TABLE customers ALTER COLUMN fax SET DEFAULT 'none';
ALTER TABLE tape ALTER price TYPE numeric USING NULL;
ALTER TABLE employees DROP CONSTRAINT employees_check;
SELECT nextval('trade_number');
