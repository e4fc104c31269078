CREATE TABLE e (id int PRIMARY KEY, v numeric(6,2), j json);
