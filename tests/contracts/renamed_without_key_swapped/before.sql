CREATE TABLE s (a int, b text); INSERT INTO s VALUES (1, 'x'), (1, 'x'), (2, 'y'), (2, 'y');
