CREATE TABLE x (id serial PRIMARY KEY, a int UNIQUE); CREATE TABLE y (id int);
