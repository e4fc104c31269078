ALTER TABLE s ADD amount int;
