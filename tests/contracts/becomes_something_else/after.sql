UPDATE s SET total = qty * price * 2;
