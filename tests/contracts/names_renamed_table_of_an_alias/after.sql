ALTER TABLE loans RENAME TO lendings;
