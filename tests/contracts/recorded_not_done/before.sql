CREATE TABLE _migrations (id serial PRIMARY KEY, name text NOT NULL);
INSERT INTO _migrations (name) VALUES ('01'), ('02');
