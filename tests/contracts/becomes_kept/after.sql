UPDATE s SET total = qty * price;
