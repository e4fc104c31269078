ALTER TABLE books ADD COLUMN genre text;
