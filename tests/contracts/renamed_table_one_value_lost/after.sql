ALTER TABLE s RENAME TO sales; UPDATE sales SET note = 'c' WHERE id = 2;
