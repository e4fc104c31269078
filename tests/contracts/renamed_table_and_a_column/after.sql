ALTER TABLE s RENAME TO sales; ALTER TABLE sales RENAME total TO amount;
