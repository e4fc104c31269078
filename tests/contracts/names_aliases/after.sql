DELETE FROM loans WHERE id < 3; UPDATE loans SET v = v * 2; CREATE INDEX loans_v ON loans (v); ALTER TABLE loans SET UNLOGGED;
