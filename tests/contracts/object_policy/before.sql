CREATE TABLE t (id int PRIMARY KEY, a int, b int);
CREATE POLICY x ON t USING (a > 1); CREATE POLICY y ON t USING (a > 2);
