INSERT INTO _migrations (name) VALUES ('04');
