ALTER TABLE m DROP v, ADD n text;
