INSERT INTO _migrations (name) VALUES ('03'), ('04'), ('99');
