ALTER TABLE s RENAME total TO amount; DROP INDEX by_total; CREATE INDEX by_total ON s (amount DESC);
