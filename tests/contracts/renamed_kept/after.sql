ALTER TABLE s RENAME total TO amount;
