ALTER TABLE s RENAME phone TO contact;
